package notify

import "net/http"

// NewClient returns a client for posting to addresses that people gave: it follows no redirects, goes through no proxy, and
// refuses private addresses, after the name is resolved, unless they are allowed.
func NewClient(allowPrivate bool) *http.Client { return newPoster(allowPrivate, "").client }
