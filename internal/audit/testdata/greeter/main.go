// Command greeter greets in the words of another service.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/daytwo-dev/daytwo/service"
)

type config struct {
	Words string `env:"WORDS_URL,required" help:"base URL of the service that knows the words"`
}

func main() {
	service.Main("greeter", func(_ context.Context, s *service.Service, c config) error {
		words := s.Client()
		s.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
			text, err := ask(r.Context(), words, c.Words)
			if err != nil {
				http.Error(w, "no words: "+err.Error(), http.StatusBadGateway)
				return
			}
			fmt.Fprintln(w, "hello,", text)
		})
		return nil
	}, service.Command[config]{Name: "words", Help: "print the words and end", Run: func(ctx context.Context, s *service.Service, c config, _ []string) error {
		text, err := ask(ctx, s.Client(), c.Words)
		fmt.Println(text)
		return err
	}})
}

func ask(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}
