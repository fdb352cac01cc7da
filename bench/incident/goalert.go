package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// goalert is GoAlert with eight services, each of which pages one person by a webhook, as daytwo's do here.
type goalert struct {
	url     string
	http    *http.Client
	session string // of the administrator, a bearer token
	tokens  []string
	stop    func()
}

// startGoAlert starts GoAlert on a PostgreSQL of its own, which does not sync what it commits: that speaks for GoAlert.
func startGoAlert(work, bin, hookURL string) (*goalert, error) {
	database, err := storetest.NewServer()
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	g := &goalert{stop: func() { _ = database.Close() }}
	if err := g.open(work, bin, hookURL, database); err != nil {
		g.stop()
		return nil, fmt.Errorf("GoAlert: %w", err)
	}
	return g, nil
}

func (g *goalert) open(work, bin, hookURL string, database *storetest.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, database.URL("daytwo", "postgres"))
	if err != nil {
		return err
	}
	_, err = admin.Exec(ctx, "CREATE DATABASE goalert")
	if err := admin.Close(ctx); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(work, "goalert.log"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	g.url = "http://" + address
	db := []string{"--db-url", database.URL("daytwo", "goalert"), "--data-encryption-key", "bench"}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(bin, append(args, db...)...)
		cmd.Stdout, cmd.Stderr = log, log
		return cmd
	}
	config := `{"Webhook": {"Enable": true}, "General": {"DisableMessageBundles": true}, "Auth": {"RefererURLs": ["` + g.url + `"]}}`
	for _, args := range [][]string{{"migrate"}, {"set-config", "--data", config}, {"add-user", "--admin", "--user", "admin", "--pass", "admin123", "--email", "a@example.com"}} {
		if err := command(args...).Run(); err != nil {
			return fmt.Errorf("%s: %w, see %s", args[0], err, log.Name())
		}
	}
	cmd := command("--listen", address, "--public-url", g.url)
	if err := cmd.Start(); err != nil {
		return err
	}
	g.stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = database.Close() }
	g.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}, Timeout: 30 * time.Second}
	for ; ; time.Sleep(100 * time.Millisecond) {
		if res, err := g.http.Get(g.url + "/health"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("it is not ready after two minutes")
		}
	}
	if err := g.declare(hookURL); err != nil {
		return err
	}
	own, err := pgx.Connect(ctx, database.URL("daytwo", "goalert"))
	if err != nil {
		return err
	}
	_, err = own.Exec(ctx, "UPDATE user_contact_methods SET disabled = false") // in place of a code that is sent there and given back
	return errors.Join(err, own.Close(ctx))
}

// declare signs in and makes people, policies, services and their keys.
func (g *goalert) declare(hookURL string) error {
	form := url.Values{"username": {"admin"}, "password": {"admin123"}}
	req, err := http.NewRequest(http.MethodPost, g.url+"/api/v2/identity/providers/basic?noRedirect=1", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Referer", g.url)
	res, err := g.http.Do(req)
	if err != nil {
		return err
	}
	session, err := io.ReadAll(res.Body) // who is not redirected gets no cookie
	res.Body.Close()
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("signing in was answered %s", res.Status)
	}
	g.session = string(session)
	for i := range 8 {
		user, err := g.ask(`mutation($n: String!, $e: String!) {createUser(input: {username: $n, password: "password123", name: $n, email: $e, role: user}) {id}}`,
			map[string]any{"n": fmt.Sprint("person", i), "e": fmt.Sprintf("p%d@example.com", i)})
		if err != nil {
			return err
		}
		_, err = g.ask(`mutation($u: ID!, $to: String!) {createUserContactMethod(input: {userID: $u, name: "hook", dest: {type: "builtin-webhook", args: {webhook_url: $to}},
			newUserNotificationRule: {delayMinutes: 0}}) {id}}`, map[string]any{"u": user, "to": fmt.Sprintf("%s/%d", hookURL, i)})
		if err != nil {
			return err
		}
		service, err := g.ask(`mutation($n: String!, $u: ID!) {createService(input: {name: $n, newEscalationPolicy: {name: $n, steps: [{delayMinutes: 30, targets: [{type: user, id: $u}]}]}}) {id}}`,
			map[string]any{"n": fmt.Sprint("service", i), "u": user})
		if err != nil {
			return err
		}
		href, err := g.ask(`mutation($s: ID!) {createIntegrationKey(input: {serviceID: $s, type: generic, name: "bench"}) {id: href}}`, map[string]any{"s": service})
		if err != nil {
			return err
		}
		u, err := url.Parse(href)
		if err != nil {
			return err
		}
		g.tokens = append(g.tokens, u.Query().Get("token"))
	}
	return nil
}

// ask sends a mutation that answers one object, and returns its id.
func (g *goalert) ask(query string, variables map[string]any) (id string, err error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, g.url+"/api/graphql", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.session)
	res, err := g.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct {
		Data   map[string]struct{ ID string }
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("answered %s: %w", res.Status, err)
	}
	if len(answer.Errors) > 0 {
		return "", fmt.Errorf("%s: %s", query, answer.Errors[0].Message)
	}
	for _, v := range answer.Data {
		id = v.ID
	}
	return id, nil
}

func (g *goalert) trigger(service int, dedup string) error {
	body, err := json.Marshal(map[string]string{"summary": dedup, "details": "bench", "dedup": dedup})
	if err != nil {
		return err
	}
	res, err := g.http.Post(g.url+"/api/v2/generic/incoming?token="+g.tokens[service], "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode >= 300 {
		return fmt.Errorf("answered %s", res.Status)
	}
	return nil
}
