package notify

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// seal is a Sealer whose tokens can be read and not be forged.
type seal struct{}

func (seal) Seal(purpose string, secret []byte) (string, error) {
	return base64.RawStdEncoding.EncodeToString(append(mark(purpose, secret), secret...)), nil
}

func (seal) Open(purpose, sealed string) ([]byte, error) {
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(b) < 32 || !hmac.Equal(b[:32], mark(purpose, b[32:])) {
		return nil, fmt.Errorf("forged")
	}
	return b[32:], nil
}

func mark(purpose string, secret []byte) []byte {
	m := hmac.New(sha256.New, []byte("key"))
	m.Write([]byte(purpose + "\x00"))
	m.Write(secret)
	return m.Sum(nil)
}

// responder remembers what it was asked.
type responder struct{ asked []string }

func (r *responder) Answer(_ context.Context, verb, incident, person string) (string, error) {
	r.asked = append(r.asked, verb+" "+incident+" by "+person)
	return "#12 is acknowledged", nil
}

func (r *responder) Delivered(_ context.Context, id string, arrived bool, detail string) error {
	r.asked = append(r.asked, fmt.Sprint(id, " ", arrived, " ", detail))
	return nil
}

func (r *responder) PersonOf(number string) (string, bool) { return "ada", number == "+33612345678" }

type request struct {
	path   string
	header http.Header
	body   string
}

// service is a fake of whoever is spoken to.
func service(t *testing.T, status int, answer string) (url string, got *[]request) {
	got = &[]request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*got = append(*got, request{r.URL.Path, r.Header, string(b)})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func notifier(t *testing.T, change func(*Config)) *Notifier {
	t.Helper()
	c := Config{AllowPrivate: true, Sealer: seal{}, PublicURL: "https://daytwo.example", Logger: slog.New(slog.DiscardHandler), PushKey: NewPushKey(), SlackSecret: "shh"}
	if change != nil {
		change(&c)
	}
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func message(n *Notifier) Message {
	return Message{ID: "01page", Thread: "01incident", Subject: "[critical] checkout: it burns & smokes (#12)", Text: "Since 12:00 <now>", URL: "https://daytwo.example/incidents/01incident",
		Number: 12, Answers: n.Answers("01incident", "ada", time.Now())}
}

func TestChats(t *testing.T) {
	base, got := service(t, 200, `{"ok":true}`)
	n := notifier(t, func(c *Config) { c.SlackToken, c.TelegramToken = "xoxb-1", "1:a" })
	n.chat.slackAPI, n.chat.telegramAPI = base+"/api", base
	for _, tt := range []struct{ channel, to, path, want string }{
		{Slack, base + "/hook", "/hook", `"action_id":"acknowledge"`},
		{Slack, "#incidents", "/api/chat.postMessage", `"channel":"#incidents"`},
		{Teams, base + "/teams", "/teams", `"type":"AdaptiveCard"`},
		{Discord, base + "/discord", "/discord", `"allowed_mentions":{"parse":[]}`},
		{Telegram, "12345", "/bot1:a/sendMessage", `"inline_keyboard"`},
		{Ntfy, strings.Replace(base, "://", "://:secret@", 1) + "/topic", "/topic", "Since 12:00"},
	} {
		*got = nil
		if err := n.Send(t.Context(), Address{tt.channel, tt.to}, message(n)); err != nil || len(*got) != 1 {
			t.Errorf("%s: %v, %d requests", tt.channel, err, len(*got))
			continue
		}
		if r := (*got)[0]; r.path != tt.path || !strings.Contains(r.body, tt.want) {
			t.Errorf("%s: %s %s", tt.channel, r.path, r.body)
		}
	}
	if h := (*got)[0].header; h.Get("Authorization") != "Bearer secret" || h.Get("Priority") != "5" || !strings.Contains(h.Get("Actions"), "view, Acknowledge, https://daytwo.example/answers/acknowledge/") {
		t.Errorf("ntfy: %v", h)
	}
	for channel, to := range map[string]string{Ntfy: base + "/topic", Telegram: "12345"} { // what need not ring
		*got = nil
		m := message(n)
		m.Quiet = true
		if err := n.Send(t.Context(), Address{channel, to}, m); err != nil || len(*got) != 1 {
			t.Fatalf("%s: %v, %d requests", channel, err, len(*got))
		}
		if r := (*got)[0]; r.header.Get("Priority") != "3" && !strings.Contains(r.body, `"disable_notification":true`) {
			t.Errorf("%s rings: %v %s", channel, r.header, r.body)
		}
	}
	no, _ := service(t, 200, `{"ok":false,"error":"channel_not_found"}`)
	n.chat.slackAPI = no
	if err := n.Send(t.Context(), Address{Slack, "#gone"}, message(n)); !Permanent(err) {
		t.Errorf("a channel that does not exist: %v", err)
	}
	busy, _ := service(t, 503, "")
	if err := n.Send(t.Context(), Address{Discord, busy}, message(n)); err == nil || Permanent(err) {
		t.Errorf("a service that is busy: %v", err)
	}
	guarded := notifier(t, func(c *Config) { c.AllowPrivate = false })
	if err := guarded.Send(t.Context(), Address{Teams, base}, message(n)); !Permanent(err) {
		t.Errorf("a private address: %v", err)
	}
}

// A page about a long subject arrives all the same, and with the ways to answer: each service refuses what is longer than its limit.
func TestLongMessagesKeepTheirAnswers(t *testing.T) {
	base, got := service(t, 200, `{"ok":true}`)
	n := notifier(t, func(c *Config) { c.Phone = strings.Replace(base, "://", "://AC1:token@", 1) + "?from=+15550000000" })
	m := message(n)
	send := func(channel, to string) string {
		t.Helper()
		*got = nil
		if err := n.Send(t.Context(), Address{channel, to}, m); err != nil {
			t.Fatal(err)
		}
		return (*got)[0].body
	}
	for name, line := range map[string]string{"xml": `<fault><a>&"'</a></fault> `, "signs": "&", "words": "upstream timed out "} {
		m.Subject, m.Text = "[critical] checkout: "+strings.Repeat(line, 1200/len(line)), strings.Repeat(line, 4000/len(line))
		var slack struct {
			Blocks []struct{ Text struct{ Text string } }
		}
		if err := json.Unmarshal([]byte(send(Slack, base)), &slack); err != nil {
			t.Fatal(err)
		}
		if text := slack.Blocks[0].Text.Text; len([]rune(text)) > 3000 || len(slack.Blocks) != 2 || strings.Count(text, "&") != strings.Count(text, ";") {
			t.Errorf("%s: Slack: %d characters, %d blocks: %s", name, len([]rune(text)), len(slack.Blocks), text)
		}
		var discord struct{ Content string }
		if err := json.Unmarshal([]byte(send(Discord, base)), &discord); err != nil {
			t.Fatal(err)
		}
		if c := discord.Content; len([]rune(c)) > 2000 || !strings.Contains(c, "\n[Acknowledge](<https://") || !strings.HasSuffix(c, ">)") || strings.Count(c, "](<https://") != 2 {
			t.Errorf("%s: Discord: %d characters: %s", name, len([]rune(c)), c)
		}
		form, _ := url.ParseQuery(send(Voice, "+33612345678"))
		if script := form.Get("Twiml"); len([]rune(script)) > 4000 || !strings.HasSuffix(script, "</Response>") {
			t.Errorf("%s: call: %d characters", name, len([]rune(script)))
		}
	}
}

func TestPhone(t *testing.T) {
	base, got := service(t, 201, `{"sid":"SM1"}`)
	setting := strings.Replace(base, "://", "://AC1:token@", 1) + "?from=+15550000000"
	n := notifier(t, func(c *Config) { c.Phone = setting })
	for channel, path := range map[string]string{SMS: "/2010-04-01/Accounts/AC1/Messages.json", Voice: "/2010-04-01/Accounts/AC1/Calls.json"} {
		*got = nil
		if err := n.Send(t.Context(), Address{channel, "+33612345678"}, message(n)); err != nil {
			t.Fatal(err)
		}
		form, _ := url.ParseQuery((*got)[0].body)
		if (*got)[0].path != path || form.Get("From") != "+15550000000" || form.Get("To") != "+33612345678" ||
			form.Get("StatusCallback") != "https://daytwo.example/answers/phone/status?id=01page" || (*got)[0].header.Get("Authorization") == "" {
			t.Errorf("%s: %s %v", channel, (*got)[0].path, form)
		}
		if channel == SMS && !strings.Contains(form.Get("Body"), "Reply ACK 12 or RESOLVE 12") {
			t.Errorf("sms: %q", form.Get("Body"))
		}
		if channel == Voice && (!strings.Contains(form.Get("Twiml"), "<Gather") || !strings.Contains(form.Get("Twiml"), "burns &amp; smokes")) {
			t.Errorf("call: %q", form.Get("Twiml"))
		}
	}
	for _, wrong := range []string{"https://api.example", "https://AC1:token@api.example", "ftp://AC1:token@x?from=+1"} {
		if _, err := New(Config{Logger: slog.New(slog.DiscardHandler), Phone: wrong}); err == nil || strings.Contains(err.Error(), "token@") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// twilio signs a request as the provider does.
func twilio(path string, form url.Values) *http.Request {
	signed := "https://daytwo.example" + answersPath + path
	keys := []string{}
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		signed += k + form.Get(k)
	}
	mac := hmac.New(sha1.New, []byte("token"))
	mac.Write([]byte(signed))
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

func TestAnswersByPhone(t *testing.T) {
	n := notifier(t, func(c *Config) { c.Phone = "https://AC1:token@api.example?from=+1555" })
	r := &responder{}
	_, h := n.Door(r)
	ask := func(q *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		return w
	}
	m := message(n)
	if w := ask(twilio("/phone/sms", url.Values{"From": {"+33612345678"}, "Body": {" Ack #12 "}})); !strings.Contains(w.Body.String(), "<Message>#12 is acknowledged</Message>") {
		t.Errorf("reply: %d %s", w.Code, w.Body)
	}
	if w := ask(twilio("/phone/sms", url.Values{"From": {"+1999"}, "Body": {"ACK 12"}})); w.Body.String() != "<Response></Response>" {
		t.Errorf("a stranger is told %s", w.Body)
	}
	if w := ask(twilio("/phone/sms", url.Values{"From": {"+33612345678"}, "Body": {"who is this"}})); !strings.Contains(w.Body.String(), "Reply ACK or RESOLVE") {
		t.Errorf("no answer: %s", w.Body)
	}
	digits := "/phone/digits?token=" + url.QueryEscape(m.answer(Acknowledge)) + "&resolve=" + url.QueryEscape(m.answer(Resolve))
	ask(twilio(digits, url.Values{"Digits": {"6"}}))
	ask(twilio(digits, url.Values{"Digits": {"9"}}))
	ask(twilio("/phone/status?id=01page", url.Values{"MessageStatus": {"delivered"}}))
	ask(twilio("/phone/status?id=01page", url.Values{"CallStatus": {"no-answer"}}))
	ask(twilio("/phone/status?id=01page", url.Values{"CallStatus": {"ringing"}}))
	want := "acknowledge 12 by ada, resolve 01incident by ada, 01page true delivered, 01page false no-answer"
	if got := strings.Join(r.asked, ", "); got != want {
		t.Errorf("asked %s", got)
	}
	forged := twilio("/phone/sms", url.Values{"From": {"+33612345678"}, "Body": {"ACK 12"}})
	forged.Header.Set("X-Twilio-Signature", "AAAA")
	if w := ask(forged); w.Code != 403 || len(r.asked) != 4 {
		t.Errorf("forged: %d", w.Code)
	}
}

func TestAnswersByLink(t *testing.T) {
	now := time.Now()
	n := notifier(t, func(c *Config) { c.Now = func() time.Time { return now } })
	r := &responder{}
	_, h := n.Door(r)
	ask := func(method, link string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, strings.TrimPrefix(link, "https://daytwo.example"+answersPath), nil))
		return w
	}
	link := message(n).link(Acknowledge)
	for _, method := range []string{http.MethodGet, http.MethodHead} { // as a scanner does
		if w := ask(method, link); w.Code != 200 || len(r.asked) != 0 {
			t.Errorf("%s: %d, asked %v", method, w.Code, r.asked)
		}
	}
	if w := ask(http.MethodGet, link); !strings.Contains(w.Body.String(), "Acknowledge this incident?") || !strings.Contains(w.Body.String(), "<form method=\"post\">") {
		t.Errorf("the page: %s", w.Body)
	}
	if w := ask(http.MethodPost, link); w.Code != 200 || len(r.asked) != 1 || r.asked[0] != "acknowledge 01incident by ada" {
		t.Errorf("POST: %d, asked %v", w.Code, r.asked)
	}
	for name, forged := range map[string]string{
		"another verb":  strings.Replace(link, "/acknowledge/", "/resolve/", 1),
		"another token": link[:len(link)-3] + "abc",
		"no such verb":  strings.Replace(link, "/acknowledge/", "/delete/", 1),
	} {
		if w := ask(http.MethodPost, forged); w.Code != 403 || len(r.asked) != 1 {
			t.Errorf("%s: %d, asked %v", name, w.Code, r.asked)
		}
	}
	now = now.Add(answerLife + time.Minute)
	if w := ask(http.MethodPost, link); w.Code != 403 || !strings.Contains(w.Body.String(), "older than three days") {
		t.Errorf("an old link: %d", w.Code)
	}
}

func TestAnswersByButton(t *testing.T) {
	base, got := service(t, 200, "ok")
	n := notifier(t, nil)
	r := &responder{}
	_, h := n.Door(r)
	token := message(n).answer(Acknowledge)
	press := func(secret string, at time.Time) int {
		payload, _ := json.Marshal(map[string]any{"type": "block_actions", "response_url": base + "/respond", "actions": []any{map[string]any{"action_id": "acknowledge", "value": token}}})
		body := url.Values{"payload": {string(payload)}}.Encode()
		stamp := fmt.Sprint(at.Unix())
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("v0:" + stamp + ":" + body))
		q := httptest.NewRequest(http.MethodPost, "/slack", strings.NewReader(body))
		q.Header.Set("X-Slack-Request-Timestamp", stamp)
		q.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		return w.Code
	}
	if status := press("shh", time.Now()); status != 200 || len(r.asked) != 1 || len(*got) != 1 || !strings.Contains((*got)[0].body, "#12 is acknowledged") {
		t.Errorf("pressed: %d, asked %v, told %v", status, r.asked, *got)
	}
	if status := press("other", time.Now()); status != 401 || len(r.asked) != 1 {
		t.Errorf("another secret: %d", status)
	}
	if status := press("shh", time.Now().Add(-time.Hour)); status != 401 || len(r.asked) != 1 {
		t.Errorf("a request sent again later: %d", status)
	}
}

func TestPushIsReadByTheBrowserAlone(t *testing.T) {
	base, got := service(t, 201, "")
	n := notifier(t, nil)
	browser, _ := ecdh.P256().GenerateKey(rand.Reader)
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	enc := base64.RawURLEncoding
	s := Subscription{Endpoint: base + "/push/1"}
	s.Keys.P256dh, s.Keys.Auth = enc.EncodeToString(browser.PublicKey().Bytes()), enc.EncodeToString(secret)
	to, _ := json.Marshal(s)
	if err := n.Send(t.Context(), Address{Push, string(to)}, message(n)); err != nil {
		t.Fatal(err)
	}
	r := (*got)[0]
	body := []byte(r.body)
	salt, size, ours := body[:16], int(body[20]), body[21:21+65]
	public, err := ecdh.P256().NewPublicKey(ours)
	if err != nil || size != 65 {
		t.Fatal(err, size)
	}
	shared, _ := browser.ECDH(public)
	key, nonce, err := recordKeys(shared, secret, browser.PublicKey().Bytes(), ours, salt)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	text, err := gcm.Open(nil, nonce, body[21+65:], nil)
	if err != nil || !strings.Contains(string(text), `"tag":"01incident"`) || text[len(text)-1] != 2 {
		t.Errorf("%s, %v", text, err)
	}
	token, k, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Authorization"), "vapid t="), ", k=")
	raw, _ := enc.DecodeString(k)
	signer, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	signed, signature, _ := cutLast(token, ".")
	sum := sha256.Sum256([]byte(signed))
	rs, _ := enc.DecodeString(signature)
	if !ecdsa.Verify(signer, sum[:], new(big.Int).SetBytes(rs[:32]), new(big.Int).SetBytes(rs[32:])) || k != n.PushPublicKey() {
		t.Error("the signature does not fit")
	}
	quiet := message(n)
	quiet.Quiet = true
	if err := n.Send(t.Context(), Address{Push, string(to)}, quiet); err != nil || r.header.Get("Urgency") != "high" || (*got)[1].header.Get("Urgency") != "normal" {
		t.Errorf("urgency %q, and %v of what need not ring: %v", r.header.Get("Urgency"), (*got)[1:], err)
	}
	gone, _ := service(t, 410, "")
	s.Endpoint = gone
	to, _ = json.Marshal(s)
	if err := n.Send(t.Context(), Address{Push, string(to)}, message(n)); !Permanent(err) {
		t.Errorf("a subscription that is gone: %v", err)
	}
}

// The vector of RFC 8291, appendix A.
func TestRecordKeysOfTheStandard(t *testing.T) {
	d := func(s string) []byte { b, _ := base64.RawURLEncoding.DecodeString(s); return b }
	receiver, err := ecdh.P256().NewPrivateKey(d("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	ours := d("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")
	public, err := ecdh.P256().NewPublicKey(ours)
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := receiver.ECDH(public)
	key, nonce, err := recordKeys(shared, d("BTBZMqHH6r4Tts7J_aSIgg"), receiver.PublicKey().Bytes(), ours, d("DGv6ra1nlYgDCS1FRnbzlw"))
	if err != nil || base64.RawURLEncoding.EncodeToString(key) != "oIhVW04MRdy2XN9CiKLxTg" || base64.RawURLEncoding.EncodeToString(nonce) != "4h_95klXJ5E_qnoN" {
		t.Errorf("%x %x %v", key, nonce, err)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
