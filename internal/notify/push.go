package notify

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// push rings browsers (RFC 8030), with messages that only they can read (RFC 8291, RFC 8188) and a signature that says who sends
// (VAPID, RFC 8292).
type push struct {
	chat
	key     *ecdsa.PrivateKey
	contact string // mailto: or https:, for whoever runs the push service
}

// Subscription is what a browser gives to be rung.
type Subscription struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		P256dh string `json:"p256dh"`
		Auth   string `json:"auth"`
	} `json:"keys"`
}

// NewPushKey makes the key that web push messages are signed with: 32 bytes.
func NewPushKey() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the source of randomness never fails
	}
	raw, err := key.Bytes()
	if err != nil {
		panic(err) // the curve is one of those it knows
	}
	return raw
}

func newPush(raw []byte, contact string, client *http.Client) (*push, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, problem.New(problem.Invalid, "the key of web push is none: %w", err)
	}
	return &push{chat: chat{client: client}, key: key, contact: contact}, nil
}

// public is the key browsers are given to subscribe.
func (p *push) public() string {
	raw, err := p.key.PublicKey.Bytes()
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (p *push) send(ctx context.Context, to string, m Message) error {
	var s Subscription
	if err := json.Unmarshal([]byte(to), &s); err != nil {
		return permanentf("the push subscription is damaged: turn notifications on again")
	}
	endpoint, err := url.Parse(s.Endpoint)
	if err != nil || endpoint.Scheme != "https" && endpoint.Scheme != "http" || endpoint.Host == "" {
		return permanentf("the push subscription has no address: turn notifications on again")
	}
	text, err := json.Marshal(map[string]any{"id": m.ID, "title": cut(m.Subject, 200), "body": cut(m.Text, 600), "url": m.URL, "tag": m.Thread, "ack": m.link(Acknowledge), "quiet": m.Quiet})
	if err != nil {
		return permanentf("the message: %w", err)
	}
	body, err := s.encrypt(text, rand.Reader)
	if err != nil {
		return permanent{err}
	}
	token, err := p.sign(endpoint.Scheme+"://"+endpoint.Host, time.Now().Add(12*time.Hour))
	if err != nil {
		return permanent{err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return permanentf("the push subscription has no address: turn notifications on again")
	}
	req.Header.Set("Content-Encoding", "aes128gcm")
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("TTL", "3600")
	req.Header.Set("Urgency", "high") // RFC 8030: wakes a phone that saves power
	if m.Quiet {
		req.Header.Set("Urgency", "normal")
	}
	req.Header.Set("Authorization", "vapid t="+token+", k="+p.public())
	return p.do(req, nil)
}

// sign makes the JSON Web Token (ES256) that tells a push service who sends.
func (p *push) sign(audience string, expires time.Time) (string, error) {
	enc := base64.RawURLEncoding
	claims, err := json.Marshal(map[string]any{"aud": audience, "exp": expires.Unix(), "sub": p.contact})
	if err != nil {
		return "", err
	}
	text := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + enc.EncodeToString(signature[:]), nil
}

// encrypt writes one record of aes128gcm that the browser of the subscription can read.
func (s Subscription) encrypt(text []byte, random interface{ Read([]byte) (int, error) }) ([]byte, error) {
	theirs, err := decode64(s.Keys.P256dh)
	if err != nil {
		return nil, errors.New("the key of the push subscription is damaged")
	}
	secret, err := decode64(s.Keys.Auth)
	if err != nil || len(secret) != 16 {
		return nil, errors.New("the secret of the push subscription is damaged")
	}
	public, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, fmt.Errorf("the key of the push subscription: %w", err)
	}
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	if _, err := random.Read(salt); err != nil {
		return nil, err
	}
	shared, err := ours.ECDH(public)
	if err != nil {
		return nil, err
	}
	key, nonce, err := recordKeys(shared, secret, theirs, ours.PublicKey().Bytes(), salt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	record := append(bytes.Clone(salt), 0, 0, 0, 0, 65)
	binary.BigEndian.PutUint32(record[16:], 4096)
	record = append(record, ours.PublicKey().Bytes()...)
	return gcm.Seal(record, nonce, append(text, 2), nil), nil // 2: the last record
}

// recordKeys are those of RFC 8291, 3.4.
func recordKeys(shared, secret, theirs, ours, salt []byte) (key, nonce []byte, err error) {
	ikm, err := hkdf.Key(sha256.New, shared, secret, "WebPush: info\x00"+string(theirs)+string(ours), 32)
	if err != nil {
		return nil, nil, err
	}
	if key, err = hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16); err != nil {
		return nil, nil, err
	}
	nonce, err = hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	return key, nonce, err
}

func decode64(s string) ([]byte, error) {
	if b, err := base64.RawURLEncoding.DecodeString(s); err == nil {
		return b, nil
	}
	return base64.StdEncoding.DecodeString(s)
}
