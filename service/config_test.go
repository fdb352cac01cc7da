package service

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

type common struct {
	Region string `env:"REGION" default:"eu-west" help:"where we run"`
}

type sample struct {
	common
	Name    string        `env:"NAME,required" help:"who we are"`
	Key     string        `env:"KEY,required,secret" help:"for the door"`
	Rate    float64       `env:"RATE" default:"1.5"`
	Workers int           `env:"WORKERS" default:"4"`
	Small   uint8         `env:"SMALL"`
	On      bool          `env:"ON" default:"true"`
	Every   time.Duration `env:"EVERY" default:"2s"`
	Peers   []string      `env:"PEERS"`
	Level   slog.Level    `env:"LEVEL" default:"INFO"`
	Inner   string        // not from the environment
}

func (c *sample) Validate() error {
	if c.Workers < 1 {
		return errors.New("WORKERS must be at least 1")
	}
	return nil
}

func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func TestLoad(t *testing.T) {
	var got sample
	err := Load(&got, env("NAME=shop", "KEY=k", "SMALL=7", "ON=false", "PEERS=a, b", "LEVEL=WARN", "EVERY="))
	want := sample{common: common{"eu-west"}, Name: "shop", Key: "k", Rate: 1.5, Workers: 4, Small: 7,
		Every: 2 * time.Second, Peers: []string{"a", "b"}, Level: slog.LevelWarn}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

func TestLoadNamesEveryFault(t *testing.T) {
	err := Load(&sample{}, env("RATE=fast", "SMALL=300", "ON=perhaps", "EVERY=2"))
	for _, want := range []string{"NAME is required: who we are", "KEY is required", "RATE is not a valid number",
		"SMALL is not a valid unsigned int", "ON is not a valid bool", "EVERY is not a valid duration"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q missing in: %v", want, err)
		}
	}
	if err := Load(&sample{}, env("NAME=x", "KEY=y", "WORKERS=0")); err == nil || err.Error() != "WORKERS must be at least 1" {
		t.Errorf("Validate was not asked: %v", err)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	var c struct {
		Pin  int    `env:"PIN,secret"`
		Word string `env:"WORD,secret" default:"hunter2"`
	}
	if err := Load(&c, env("PIN=hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error shows the secret: %v", err)
	}
	if err := Load(&c, env("PIN=4711")); err != nil {
		t.Fatal(err)
	}
	all, _ := Variables(&c)
	var help strings.Builder
	printHelp(&help, "x", all, nil)
	if s := help.String() + all[0].shown() + all[1].shown(); strings.Contains(s, "hunter2") || strings.Contains(s, "4711") {
		t.Errorf("secret shown: %s", s)
	}
}

func TestVariablesRefusesWhatItCannotSet(t *testing.T) {
	for _, c := range []any{
		sample{},
		&struct {
			A func() `env:"A"`
		}{},
		&struct {
			A string `env:"A,requird"`
		}{},
		&struct {
			a string `env:"A"`
		}{},
	} {
		if _, err := Variables(c); err == nil {
			t.Errorf("%T was accepted", c)
		}
	}
}
