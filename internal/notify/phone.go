package notify

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// phone sends SMS and calls through an API that speaks as Twilio's does (2010-04-01).
type phone struct {
	chat
	base     string // of the account: https://api.twilio.com/2010-04-01/Accounts/AC…
	account  string
	token    string
	from     string // number that sends
	callback string // of daytwo, for what comes back: https://daytwo.example/answers; empty: nothing can
}

// newPhone reads https://ACCOUNT:TOKEN@api.twilio.com?from=%2B15551234567.
func newPhone(setting, publicURL string, client *http.Client) (*phone, error) {
	u, err := url.Parse(setting)
	mend := "write https://ACCOUNT:TOKEN@api.twilio.com?from=%2B15551234567"
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User == nil {
		return nil, problem.New(problem.Invalid, "the address for SMS and calls is not a URL with account and token").WithMend("%s", mend)
	}
	token, _ := u.User.Password()
	from := strings.ReplaceAll(u.Query().Get("from"), " ", "+") // a + in a query means a space
	if token == "" || from == "" {
		return nil, problem.New(problem.Invalid, "the address for SMS and calls lacks the token or the number that sends").WithMend("%s", mend)
	}
	p := &phone{account: u.User.Username(), token: token, from: from, chat: chat{client: client},
		base: u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/") + "/2010-04-01/Accounts/" + url.PathEscape(u.User.Username())}
	if publicURL != "" {
		p.callback = publicURL + answersPath
	}
	return p, nil
}

// sms fits a page into two text messages: what is wrong, and what to reply.
func (p *phone) sms(ctx context.Context, to string, m Message) error {
	text := cut(oneLine(m.Subject), maxSpoken)
	switch {
	case len(m.Answers) == 0 || m.Number == 0:
	case m.Together > 1:
		text += fmt.Sprintf("\nReply ACK ALL or ACK %d", m.Number)
	default:
		text += fmt.Sprintf("\nReply ACK %d or RESOLVE %d", m.Number, m.Number)
	}
	if m.URL != "" {
		text += "\n" + m.URL
	}
	form := url.Values{"To": {to}, "From": {p.from}, "Body": {text}}
	if p.callback != "" {
		form.Set("StatusCallback", p.callback+"/phone/status?id="+url.QueryEscape(m.ID))
	}
	return p.send(ctx, "/Messages.json", form)
}

// call reads a page out and asks for a digit.
func (p *phone) call(ctx context.Context, to string, m Message) error {
	form := url.Values{"To": {to}, "From": {p.from}, "Twiml": {p.script(m)}}
	if p.callback != "" {
		form.Set("StatusCallback", p.callback+"/phone/status?id="+url.QueryEscape(m.ID))
	}
	return p.send(ctx, "/Calls.json", form)
}

// maxSpoken is how many characters of a subject are read out: both times, escaped, they leave room in the 4000 that Twiml may have
// (https://www.twilio.com/docs/voice/api/call-resource), and nobody listens longer.
const maxSpoken = 220

// script is what the caller hears: the subject twice, and what the digits do.
func (p *phone) script(m Message) string {
	say := "<Say>" + escapeXML("This is daytwo. "+cut(oneLine(m.Subject), maxSpoken)+".") + "</Say>"
	token := m.answer(Acknowledge)
	if token == "" || p.callback == "" {
		return "<Response>" + say + "<Pause/>" + say + "</Response>"
	}
	action := p.callback + "/phone/digits?token=" + url.QueryEscape(token) + "&resolve=" + url.QueryEscape(m.answer(Resolve))
	return "<Response><Gather numDigits=\"1\" timeout=\"10\" action=\"" + escapeXML(action) + "\">" + say +
		"<Say>Press 4 to acknowledge, 6 to resolve.</Say><Pause/>" + say + "<Say>Press 4 to acknowledge, 6 to resolve.</Say></Gather></Response>"
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

func (p *phone) send(ctx context.Context, path string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return permanentf("the address for SMS and calls is not a URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(p.account, p.token)
	return p.do(req, nil)
}
