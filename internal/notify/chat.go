package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// chat says a message in the form of each chat service: through the address of an incoming webhook, or, where daytwo is a bot of the
// workspace, to a channel or a person.
type chat struct {
	client        *http.Client
	slackToken    string
	slackAPI      string // https://slack.com/api, or another in tests
	telegramToken string
	telegramAPI   string // https://api.telegram.org
	buttons       bool   // Slack's buttons are taken here, see Config.SlackSecret; else they are links
}

// maxText bounds what a chat message says; each service cuts or refuses longer ones.
const maxText = 1800

// What the services refuse longer ones of, in characters: https://docs.slack.dev/reference/block-kit/blocks/section-block,
// https://discord.com/developers/docs/resources/webhook.
const (
	slackSection   = 3000 // with & < > as entities
	discordContent = 2000
)

func (c *chat) slack(ctx context.Context, to string, m Message) error {
	text := "*" + escapeSlack(m.Subject) + "*\n" + escapeSlack(cut(m.Text, maxText))
	blocks := []any{section(cutEscaped(text, slackSection))}
	if buttons := c.slackButtons(m); len(buttons) > 0 {
		blocks = append(blocks, map[string]any{"type": "actions", "elements": buttons})
	}
	body := map[string]any{"text": m.Subject, "blocks": blocks, "unfurl_links": false}
	if strings.Contains(to, "://") {
		return c.post(ctx, to, nil, body)
	}
	if c.slackToken == "" {
		return permanentf("no Slack bot is set up: give its token, or use an incoming webhook")
	}
	body["channel"], body["client_msg_id"] = to, m.ID
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	err := c.ask(ctx, c.slackAPI+"/chat.postMessage", map[string]string{"Authorization": "Bearer " + c.slackToken}, body, &answer)
	switch {
	case err != nil || answer.OK:
		return err
	case answer.Error == "ratelimited", answer.Error == "internal_error", answer.Error == "fatal_error", answer.Error == "service_unavailable":
		return fmt.Errorf("Slack answered %s", answer.Error) //nolint:staticcheck // a name
	}
	return permanentf("Slack answered %s", answer.Error)
}

func section(text string) any {
	return map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text}}
}

// slackButtons acknowledge without leaving Slack, where daytwo can be asked back, and open the page everywhere.
func (c *chat) slackButtons(m Message) (list []any) {
	button := func(label, style string, more map[string]any) {
		b := map[string]any{"type": "button", "text": map[string]any{"type": "plain_text", "text": label}}
		if style != "" {
			b["style"] = style
		}
		for k, v := range more {
			b[k] = v
		}
		list = append(list, b)
	}
	for _, a := range m.Answers {
		style := ""
		if a.Verb == Acknowledge {
			style = "primary"
		}
		if c.buttons {
			button(a.Label, style, map[string]any{"action_id": a.Verb, "value": a.Token})
		} else {
			button(a.Label, style, map[string]any{"action_id": "open_" + a.Verb, "url": a.URL})
		}
	}
	if m.URL != "" {
		button("Open", "", map[string]any{"action_id": "open", "url": m.URL})
	}
	return list
}

func escapeSlack(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// cutEscaped cuts what escapeSlack wrote, not in the middle of an entity.
func cutEscaped(s string, n int) string {
	s = cut(s, n)
	if at := strings.LastIndex(s, "&"); at >= 0 && !strings.Contains(s[at:], ";") {
		s = s[:at] + "…"
	}
	return s
}

// teams posts an adaptive card to a workflow of Microsoft Teams ("when a webhook request is received").
func (c *chat) teams(ctx context.Context, to string, m Message) error {
	actions := []any{}
	for _, a := range m.Answers {
		actions = append(actions, map[string]any{"type": "Action.OpenUrl", "title": a.Label, "url": a.URL})
	}
	if m.URL != "" {
		actions = append(actions, map[string]any{"type": "Action.OpenUrl", "title": "Open", "url": m.URL})
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"body": []any{
			map[string]any{"type": "TextBlock", "text": m.Subject, "weight": "Bolder", "size": "Medium", "wrap": true},
			map[string]any{"type": "TextBlock", "text": cut(m.Text, maxText), "wrap": true},
		},
		"actions": actions,
	}
	return c.post(ctx, to, nil, map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card},
	}})
}

func (c *chat) discord(ctx context.Context, to string, m Message) error {
	subject, links := "**"+m.Subject+"**\n", ""
	for _, a := range m.Answers {
		links += "\n[" + a.Label + "](<" + a.URL + ">)"
	}
	room := discordContent - utf8.RuneCountInString(subject+links) // half a link is none: the text makes room
	text := subject + cut(m.Text, max(1, min(maxText, room))) + links
	return c.post(ctx, to, nil, map[string]any{"content": text, "allowed_mentions": map[string]any{"parse": []string{}}})
}

func (c *chat) telegram(ctx context.Context, to string, m Message) error {
	if c.telegramToken == "" {
		return permanentf("no Telegram bot is set up: give its token")
	}
	var row []any
	for _, a := range m.Answers {
		row = append(row, map[string]string{"text": a.Label, "url": a.URL})
	}
	body := map[string]any{"chat_id": to, "text": m.Subject + "\n\n" + cut(m.Text, maxText), "disable_web_page_preview": true, "disable_notification": m.Quiet}
	if len(row) > 0 && strings.HasPrefix(m.Answers[0].URL, "https://") { // Telegram refuses buttons to other addresses
		body["reply_markup"] = map[string]any{"inline_keyboard": []any{row}}
	}
	return c.post(ctx, c.telegramAPI+"/bot"+c.telegramToken+"/sendMessage", nil, body)
}

// ntfy publishes to a topic (ntfy.sh or one's own server); a user and password, or a token as password alone, may stand in the URL.
func (c *chat) ntfy(ctx context.Context, to string, m Message) error {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		return permanentf("the address of the topic is not a URL")
	}
	header := map[string]string{"Title": oneLine(m.Subject), "Priority": "5", "Tags": "rotating_light", "X-Message-Id": m.ID}
	if m.Quiet {
		header["Priority"], header["Tags"] = "3", "information_source"
	}
	if m.URL != "" {
		header["Click"] = m.URL
	}
	var actions []string
	for _, a := range m.Answers {
		actions = append(actions, "view, "+a.Label+", "+a.URL+", clear=true")
	}
	if len(actions) > 0 {
		header["Actions"] = strings.Join(actions, "; ")
	}
	if u.User != nil {
		password, _ := u.User.Password()
		if u.User.Username() == "" {
			header["Authorization"] = "Bearer " + password
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(cut(m.Text, 3500)))
	if err != nil {
		return permanentf("the address of the topic is not a URL")
	}
	if u.User != nil && u.User.Username() != "" {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	req.URL.User = nil
	for k, v := range header {
		req.Header.Set(k, encodeHeader(v))
	}
	return c.do(req, nil)
}

// encodeHeader writes what is not ASCII as RFC 2047, which ntfy reads.
func encodeHeader(s string) string {
	for _, r := range s {
		if r > 126 {
			return mimeWord(s)
		}
	}
	return s
}

func (c *chat) post(ctx context.Context, to string, header map[string]string, body any) error {
	return c.ask(ctx, to, header, body, nil)
}

// ask posts JSON and reads the answer into into, if it is given.
func (c *chat) ask(ctx context.Context, to string, header map[string]string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return permanentf("the message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(data))
	if err != nil {
		return permanentf("the address is not an http or https URL")
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return c.do(req, into)
}

// maxAnswer bounds what a service may say to one message.
const maxAnswer = 256 << 10

func (c *chat) do(req *http.Request, into any) error {
	req.Header.Set("User-Agent", "daytwo")
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	res, err := c.client.Do(req.WithContext(ctx))
	if err != nil {
		return withoutURL(req.URL, err)
	}
	defer res.Body.Close()
	if into == nil || res.StatusCode >= 300 {
		defer time.AfterFunc(politeness, cancel).Stop()
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
		return judge(req.URL.Host, res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the answer of %s: %w", req.URL.Host, err)
	}
	return nil
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
