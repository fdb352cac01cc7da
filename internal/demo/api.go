package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// api is the demo's view of the platform: the same public API that the UI and
// the command line use, and only that. It comes with a token, or with the
// session that a call opened.
type api struct {
	base, token string
	session     []*http.Cookie
	http        *http.Client
}

type workload struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Status  string `json:"status"`
	Ready   bool   `json:"ready"`
	Address string `json:"address"` // host:port
}

type alertView struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type incidentView struct {
	ID             string     `json:"id"`
	Status         string     `json:"status"`
	OpenedAt       time.Time  `json:"openedAt"`
	AcknowledgedAt *time.Time `json:"acknowledgedAt"`
}

type suspect struct {
	Entry struct {
		Action string            `json:"action"`
		Title  string            `json:"title"`
		Data   map[string]string `json:"data"`
	} `json:"entry"`
	Action *struct {
		Kind     string `json:"kind"`
		Workload string `json:"workload"`
		Revision int    `json:"revision"`
	} `json:"action"`
}

type postmortem struct {
	ID         string `json:"id"`
	IncidentID string `json:"incidentId"`
	Timeline   []struct {
		Kind   string `json:"kind"`
		Action string `json:"action"`
	} `json:"timeline"`
}

func (a *api) call(ctx context.Context, method, path string, body, into any) error {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, &payload)
	if err != nil {
		return err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for _, c := range a.session {
		req.AddCookie(c)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		var doc struct{ Detail string }
		_ = json.NewDecoder(res.Body).Decode(&doc) // the status alone is an answer too
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, doc.Detail)
	}
	if a.token == "" && len(a.session) == 0 {
		a.session = res.Cookies()
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// list decodes the items of a list answer.
func list[T any](ctx context.Context, a *api, path string) ([]T, error) {
	var answer struct {
		Items []T `json:"items"`
	}
	err := a.call(ctx, http.MethodGet, path, nil, &answer)
	return answer.Items, err
}

// query evaluates a PromQL expression that has one number as its answer; ok is
// false while there is none.
func (a *api) query(ctx context.Context, expr string) (value float64, ok bool, err error) {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	err = a.call(ctx, http.MethodGet, "/prometheus/api/v1/query?"+url.Values{"query": {expr}}.Encode(), nil, &answer)
	if err != nil || len(answer.Data.Result) == 0 {
		return 0, false, err
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	value, err = strconv.ParseFloat(text, 64)
	return value, err == nil && value == value, err
}
