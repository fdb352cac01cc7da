package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's signature is HMAC-SHA1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// What an answer to a message can do.
const (
	Acknowledge = "acknowledge"
	Resolve     = "resolve"
)

// What an answer is about, where that is not one incident.
const (
	OfMessage = "message/" // before the id of a message: all that it told of
	All       = "all"      // all open ones that the person was paged for
)

// answersPath is where answers arrive: from links, buttons, replies and calls.
const answersPath = "/answers"

// answerLife is how long a link or button works.
const answerLife = 72 * time.Hour

// Answer is something a person can do about a message without signing in.
type Answer struct {
	Verb  string
	Label string
	URL   string // asks for a confirmation: to open it changes nothing
	Token string // says who may do what to which incident, once it is sent back
}

// answer is the token for a verb; empty without.
func (m Message) answer(verb string) string {
	if i := slices.IndexFunc(m.Answers, func(a Answer) bool { return a.Verb == verb }); i >= 0 {
		return m.Answers[i].Token
	}
	return ""
}

func (m Message) link(verb string) string {
	if i := slices.IndexFunc(m.Answers, func(a Answer) bool { return a.Verb == verb }); i >= 0 {
		return m.Answers[i].URL
	}
	return ""
}

// withLinks writes the answers into a mail.
func withLinks(m Message) Message {
	for _, a := range m.Answers {
		m.Text += "\n" + a.Label + " without signing in:\n  " + a.URL + "\n"
		if before, after, ok := strings.Cut(m.HTML, "</body>"); ok {
			m.HTML = before + `<p style="margin:0 0 8px"><a href="` + template.HTMLEscapeString(a.URL) + `">` + a.Label + ` without signing in</a></p></body>` + after
		}
	}
	return m
}

// Sealer makes what only this daytwo can read; auth.Auth is one.
type Sealer interface {
	Seal(purpose string, secret []byte) (string, error)
	Open(purpose, sealed string) ([]byte, error)
}

// Responder carries answers out.
type Responder interface {
	// Answer does what a person asked for an incident, by id or number, or several (see OfMessage, All), and says in a sentence how it
	// stands now. Without an incident it is the newest that the person was paged for.
	Answer(ctx context.Context, verb, incident, person string) (said string, err error)
	// Delivered notes that the message of that id has arrived, or why not.
	Delivered(ctx context.Context, id string, arrived bool, detail string) error
	// PersonOf finds who a telephone number belongs to.
	PersonOf(number string) (person string, ok bool)
}

// claim is what a token says.
type claim struct {
	Incident string `json:"i"`
	Person   string `json:"p"`
	Expires  int64  `json:"e"`
}

var urlSafe, urlUnsafe = strings.NewReplacer("+", "-", "/", "_"), strings.NewReplacer("-", "+", "_", "/")

// Answers makes the tokens and links of a message to a person about an incident, or about all that a message tells of (OfMessage). A
// token is for one verb, one of these and one person, and ends after three days; without a Sealer there are none.
func (n *Notifier) Answers(incident, person string, now time.Time) (list []Answer) {
	if n.sealer == nil {
		return nil
	}
	for _, v := range []struct{ verb, label string }{{Acknowledge, "Acknowledge"}, {Resolve, "Resolve"}} {
		data, err := json.Marshal(claim{incident, person, now.Add(answerLife).Unix()})
		if err != nil {
			return nil
		}
		sealed, err := n.sealer.Seal("answer/"+v.verb, data)
		if err != nil {
			return nil
		}
		if strings.HasPrefix(incident, OfMessage) {
			v.label += " all"
		}
		token := urlSafe.Replace(sealed)
		list = append(list, Answer{v.verb, v.label, n.publicURL + answersPath + "/" + v.verb + "/" + token, token})
	}
	return list
}

func (n *Notifier) claimOf(verb, token string, now time.Time) (c claim, err error) {
	gone := problem.New(problem.Forbidden, "this link does not work").WithMend("open the incident and sign in")
	if n.sealer == nil || len(token) > 1000 || verb != Acknowledge && verb != Resolve {
		return c, gone
	}
	data, err := n.sealer.Open("answer/"+verb, urlUnsafe.Replace(token))
	if err != nil || json.Unmarshal(data, &c) != nil {
		return c, gone
	}
	if now.Unix() > c.Expires {
		return c, problem.New(problem.Forbidden, "this link is older than three days").WithMend("open the incident and sign in")
	}
	return c, nil
}

// Door takes answers. It is mounted for everybody under answersPath: each request proves by itself who sends it.
func (n *Notifier) Door(r Responder) (prefix string, h http.Handler) {
	d := &door{n, r}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{verb}/{token}", d.ask)
	mux.HandleFunc("POST /{verb}/{token}", d.confirm)
	mux.HandleFunc("POST /slack", d.slack)
	mux.HandleFunc("POST /phone/sms", d.sms)
	mux.HandleFunc("POST /phone/digits", d.digits)
	mux.HandleFunc("POST /phone/status", d.status)
	return answersPath, mux
}

type door struct {
	*Notifier
	responder Responder
}

// maxForm bounds what one answer may say.
const maxForm = 64 << 10

var page = template.Must(template.New("answer").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">
<title>{{.Title}}</title><style>
:root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{padding:24px;max-width:26em;text-align:center}h1{font-size:22px;margin:0 0 16px}
button{font:600 19px system-ui,sans-serif;padding:18px 32px;width:100%;border:0;border-radius:10px;background:#1c4fd6;color:#fff}
a{color:inherit}</style></head><body><main><h1>{{.Title}}</h1>{{with .Text}}<p>{{.}}</p>{{end}}
{{with .Button}}<form method="post"><button>{{.}}</button></form>{{end}}{{with .URL}}<p><a href="{{.}}">Open the incident</a></p>{{end}}</main></body></html>`))

type answerPage struct{ Title, Text, Button, URL string }

func (d *door) show(w http.ResponseWriter, status int, p answerPage) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = page.Execute(w, p) // the client has gone; nobody to tell
}

// ask shows what a link would do. It does nothing: mail programs and scanners open links by themselves.
func (d *door) ask(w http.ResponseWriter, r *http.Request) {
	verb := r.PathValue("verb")
	c, err := d.claimOf(verb, r.PathValue("token"), d.now())
	if err != nil {
		d.refuse(w, err)
		return
	}
	label, what := strings.ToUpper(verb[:1])+verb[1:], "this incident"
	if strings.HasPrefix(c.Incident, OfMessage) {
		what = "all incidents of this message"
	}
	d.show(w, http.StatusOK, answerPage{Title: label + " " + what + "?", Text: "You answer as " + c.Person + ".", Button: label, URL: d.pageOf(c)})
}

func (d *door) confirm(w http.ResponseWriter, r *http.Request) {
	verb := r.PathValue("verb")
	c, err := d.claimOf(verb, r.PathValue("token"), d.now())
	if err != nil {
		d.refuse(w, err)
		return
	}
	said, err := d.responder.Answer(r.Context(), verb, c.Incident, c.Person)
	if err != nil {
		d.refuse(w, err)
		return
	}
	d.show(w, http.StatusOK, answerPage{Title: said, URL: d.pageOf(c)})
}

// pageOf is where to read on about what a token is for.
func (d *door) pageOf(c claim) string {
	if strings.HasPrefix(c.Incident, OfMessage) {
		return d.publicURL + "/incidents"
	}
	return d.publicURL + "/incidents/" + c.Incident
}

func (d *door) refuse(w http.ResponseWriter, err error) {
	p := problem.From(err)
	status := http.StatusForbidden
	if p.Code != problem.Forbidden {
		status = http.StatusConflict
	}
	d.show(w, status, answerPage{Title: p.Message, Text: p.Mend})
}

// slackAge is how old a request of Slack's may be.
const slackAge = 5 * time.Minute

// slack takes the buttons of Slack messages (interactivity), proved by the signing secret.
func (d *door) slack(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	stamp, _ := strconv.ParseInt(r.Header.Get("X-Slack-Request-Timestamp"), 10, 64)
	mac := hmac.New(sha256.New, []byte(d.slackSecret))
	mac.Write([]byte("v0:" + r.Header.Get("X-Slack-Request-Timestamp") + ":" + string(body)))
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if age := d.now().Sub(time.Unix(stamp, 0)); err != nil || d.slackSecret == "" || age > slackAge || age < -slackAge ||
		!hmac.Equal([]byte(want), []byte(r.Header.Get("X-Slack-Signature"))) {
		http.Error(w, "the signature does not fit", http.StatusUnauthorized)
		return
	}
	form, err := url.ParseQuery(string(body))
	var raw struct {
		Actions []struct {
			ActionID string `json:"action_id"`
			Value    string `json:"value"`
		} `json:"actions"`
		ResponseURL string `json:"response_url"`
	}
	if err != nil || json.Unmarshal([]byte(form.Get("payload")), &raw) != nil {
		http.Error(w, "this is not an interaction", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK) // within three seconds, whatever follows
	for _, a := range raw.Actions {
		c, err := d.claimOf(a.ActionID, a.Value, d.now())
		if err != nil {
			continue // the button that opens the page, or one that is too old
		}
		said, err := d.responder.Answer(r.Context(), a.ActionID, c.Incident, c.Person)
		if err != nil {
			said = problem.From(err).Message
		}
		if raw.ResponseURL != "" {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), timeout)
			if err := d.chat.post(ctx, raw.ResponseURL, nil, map[string]any{"text": said, "replace_original": false, "response_type": "in_channel"}); err != nil {
				d.log.WarnContext(ctx, "Slack was not told how a button went", "err", err)
			}
			cancel()
		}
	}
}

// phoneForm reads a request of the telephone provider, proved by its signature: HMAC-SHA1 of the URL and the sorted fields.
func (d *door) phoneForm(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || d.phone == nil {
		http.Error(w, "no telephone is set up", http.StatusNotFound)
		return nil, false
	}
	signed := d.publicURL + answersPath + r.URL.Path
	if r.URL.RawQuery != "" {
		signed += "?" + r.URL.RawQuery
	}
	keys := make([]string, 0, len(r.PostForm))
	for k := range r.PostForm {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		for _, v := range r.PostForm[k] {
			signed += k + v
		}
	}
	mac := hmac.New(sha1.New, []byte(d.phone.token))
	mac.Write([]byte(signed))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); !hmac.Equal([]byte(want), []byte(r.Header.Get("X-Twilio-Signature"))) {
		http.Error(w, "the signature does not fit", http.StatusForbidden)
		return nil, false
	}
	return r.PostForm, true
}

var replyForm = regexp.MustCompile(`(?i)^\s*(a|ack|acknowledge|r|res|resolve|4|6)\s*(?:#?([0-9]{1,18})|(all))?\s*$`)

// sms takes a reply such as "ack 12" or "ack all". Without a number it means the newest incident the person was paged for.
func (d *door) sms(w http.ResponseWriter, r *http.Request) {
	form, ok := d.phoneForm(w, r)
	if !ok {
		return
	}
	person, known := d.responder.PersonOf(form.Get("From"))
	m := replyForm.FindStringSubmatch(form.Get("Body"))
	said := ""
	switch {
	case !known: // a stranger is not told anything
	case m == nil:
		said = "Reply ACK or RESOLVE and the number of the incident, such as ACK 12."
	default:
		verb := Acknowledge
		if c := strings.ToLower(m[1]); c[0] == 'r' || c == "6" {
			verb = Resolve
		}
		var err error
		if said, err = d.responder.Answer(r.Context(), verb, m[2]+strings.ToLower(m[3]), person); err != nil {
			said = problem.From(err).Message
		}
	}
	answer := ""
	if said != "" {
		answer = "<Message>" + escapeXML(said) + "</Message>"
	}
	d.twiml(w, answer)
}

func (d *door) twiml(w http.ResponseWriter, inner string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, "<Response>"+inner+"</Response>")
}

// digits takes what was pressed during a call.
func (d *door) digits(w http.ResponseWriter, r *http.Request) {
	form, ok := d.phoneForm(w, r)
	if !ok {
		return
	}
	verb, token := "", ""
	switch form.Get("Digits") {
	case "4":
		verb, token = Acknowledge, r.URL.Query().Get("token")
	case "6":
		verb, token = Resolve, r.URL.Query().Get("resolve")
	default:
		d.twiml(w, "<Say>Nothing was done. Goodbye.</Say>")
		return
	}
	c, err := d.claimOf(verb, token, d.now())
	said := ""
	if err == nil {
		said, err = d.responder.Answer(r.Context(), verb, c.Incident, c.Person)
	}
	if err != nil {
		said = problem.From(err).Message
	}
	d.twiml(w, "<Say>"+escapeXML(said)+". Goodbye.</Say>")
}

// status takes what became of an SMS or a call.
func (d *door) status(w http.ResponseWriter, r *http.Request) {
	form, ok := d.phoneForm(w, r)
	if !ok {
		return
	}
	status := form.Get("MessageStatus")
	if status == "" {
		status = form.Get("CallStatus")
	}
	id := r.URL.Query().Get("id")
	var err error
	switch status {
	case "delivered", "completed", "answered", "in-progress":
		err = d.responder.Delivered(r.Context(), id, true, status)
	case "undelivered", "failed", "busy", "no-answer", "canceled":
		detail := status
		if code := form.Get("ErrorCode"); code != "" {
			detail += " (" + code + ")"
		}
		err = d.responder.Delivered(r.Context(), id, false, detail)
	}
	if err != nil {
		d.log.WarnContext(r.Context(), "what became of a message could not be noted", "id", id, "err", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func mimeWord(s string) string { return mime.QEncoding.Encode("utf-8", s) }
