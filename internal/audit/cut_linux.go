package audit

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
)

// backing is a backing service named by a variable, with a proxy before it
// that can be cut.
type backing struct {
	variable string
	address  string // of the real one
	value    string // of the variable, with the proxy in it
	reached  bool

	mu    sync.Mutex
	l     net.Listener
	where string
	conns map[net.Conn]bool
	made  int
	shut  bool
	ended sync.WaitGroup
}

// defaultPorts of URLs without one.
var defaultPorts = map[string]string{
	"http": "80", "postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "redis": "6379",
	"amqp": "5672", "mongodb": "27017", "nats": "4222", "memcached": "11211",
}

// newBacking puts a proxy before the service that a variable names, or returns
// nil if it names none. Protocols over TLS are left alone: the certificate
// would not fit.
func newBacking(ctx context.Context, env string) (*backing, error) {
	name, value, _ := strings.Cut(env, "=")
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" {
		return nil, nil
	}
	scheme, _, _ := strings.Cut(u.Scheme, "+")
	port := u.Port()
	if port == "" {
		port = defaultPorts[scheme]
	}
	if port == "" || scheme == "https" || scheme == "rediss" || scheme == "amqps" {
		return nil, nil
	}
	b := &backing{variable: name, address: net.JoinHostPort(u.Hostname(), port), conns: map[net.Conn]bool{}}
	if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", b.address); err == nil {
		c.Close()
		b.reached = true
	}
	if err := b.open("127.0.0.1:0"); err != nil {
		return nil, err
	}
	b.where = b.l.Addr().String()
	u.Host = b.where
	b.value = name + "=" + u.String()
	return b, nil
}

func (b *backing) open(where string) error {
	l, err := net.Listen("tcp", where) //nolint:noctx // opens at once
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.l, b.shut = l, false
	b.mu.Unlock()
	b.ended.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.ended.Go(func() { b.pass(c) })
		}
	})
	return nil
}

// pass copies both ways until either side ends.
func (b *backing) pass(c net.Conn) {
	defer c.Close()
	far, err := net.DialTimeout("tcp", b.address, 5*time.Second) //nolint:noctx // bounded
	if err != nil {
		return
	}
	defer far.Close()
	b.mu.Lock()
	if b.shut {
		b.mu.Unlock()
		return
	}
	b.conns[c], b.conns[far] = true, true
	b.made++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.conns, c)
		delete(b.conns, far)
		b.mu.Unlock()
	}()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(c, far) // ends with either side
		c.Close()
	})
	_, _ = io.Copy(far, c)
	far.Close()
	back.Wait()
}

// cut closes the door and every connection.
func (b *backing) cut() {
	b.mu.Lock()
	b.shut = true
	b.l.Close()
	for c := range b.conns {
		c.Close()
	}
	b.mu.Unlock()
}

func (b *backing) close() { b.cut(); b.ended.Wait() }

func (b *backing) connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made
}

// Times of a cut.
const (
	cutFor      = time.Second
	recoverFor  = 30 * time.Second
	requestTime = 10 * time.Second
)

// cutOff cuts the backing service off from a running program and puts it back.
func (p *process) cutOff(ctx context.Context, b *backing, port int) Cut {
	path := p.box.config.Request
	before, _, _ := get(ctx, port, path, requestTime)
	c := Cut{Variable: b.variable, Address: b.address, Reachable: b.reached, Connections: b.connections()}
	if !c.Reachable || c.Connections == 0 {
		return c
	}
	b.cut()
	for until := time.Now().Add(cutFor); time.Now().Before(until) && !p.ended(); {
		c.During, _, _ = get(ctx, port, path, requestTime)
		p.wait(ctx, 50*time.Millisecond)
	}
	if c.Died = p.ended(); c.Died {
		return c
	}
	if err := b.open(b.where); err != nil {
		c.Reachable = false
		return c
	}
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < recoverFor; {
		c.After, _, _ = get(ctx, port, path, requestTime)
		c.Took = time.Since(began)
		if c.After == before && before != 0 {
			c.Recovered = true
			break
		}
		if p.wait(ctx, 50*time.Millisecond) {
			c.Died = true
			break
		}
	}
	return c
}
