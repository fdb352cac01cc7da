package audit

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestGrade(t *testing.T) {
	for _, x := range []struct {
		verdicts []Verdict
		ran      bool
		want     Grade
	}{
		{nil, true, NotTested},
		{[]Verdict{Note}, true, NotTested},
		{[]Verdict{Untested}, true, NotTested},
		{[]Verdict{Holds}, true, Pass},
		{[]Verdict{Holds, Note}, true, Pass},
		{[]Verdict{Holds}, false, Partial}, // the source alone is no proof
		{[]Verdict{Holds, Untested}, true, Partial},
		{[]Verdict{Weakens}, true, Partial},
		{[]Verdict{Holds, Weakens, Breaks}, true, Fail},
		{[]Verdict{Breaks}, false, Fail},
	} {
		var evidence []Evidence
		for _, v := range x.verdicts {
			evidence = append(evidence, Evidence{Verdict: v})
		}
		if got := grade(evidence, x.ran); got != x.want {
			t.Errorf("%v, ran %v: %s, want %s", x.verdicts, x.ran, got, x.want)
		}
	}
}

// perfect are facts with which every factor passes.
func perfect() (Source, *Measured) {
	s := Source{Git: true, Commit: strings.Repeat("a1", 20), Files: 3, Manifests: []Manifest{{File: "go.mod", Lock: "go.sum"}}}
	return s, &Measured{
		Ready: true, Port: 4000, Listens: []int{4000}, ReadyPath: "/readyz", ReadyAfter: time.Second, RequestCode: 200,
		SecondPort: 4001, SecondReady: true, BothAnswered: true,
		Output: Output{Bytes: 100, Requests: 10, PerRequest: 3}, Slow: SlowReader{Tested: true, Answered: 100},
		Revision: s.Commit, Compiled: true,
		Missing:  []MissingVariable{{Name: "KEY", Named: true, Said: "KEY is required"}, {Name: "SIZE", Started: true}},
		Backing:  []Cut{{Variable: "DB", Address: "db:5432", Reachable: true, Connections: 2, During: 502, After: 200, Recovered: true}},
		Restart:  Restart{Tested: true, Ready: true},
		Drain:    Drain{Tested: true, InFlight: 8, Ended: true},
		First:    FirstProcess{Tested: true, ReadOnly: true, Ended: true},
		Builds:   Builds{Tested: true, Offline: true, Same: true, Hash: "abc"},
		AdminRun: &Task{Command: "migrate"},
	}
}

// Each fact alone moves the grade of its factor and of no other.
func TestJudge(t *testing.T) {
	s, m := perfect()
	if r := Judge(s, m); r.Passed != 12 {
		t.Fatalf("perfect facts pass %d of 12: %+v", r.Passed, r.Findings)
	}
	for _, x := range []struct {
		name   string
		change func(*Source, *Measured)
		want   map[Factor]Grade
	}{
		{"no repository", func(s *Source, _ *Measured) { s.Git = false }, map[Factor]Grade{Codebase: Fail}},
		{"unknown build", func(_ *Source, m *Measured) { m.Revision = "" }, map[Factor]Grade{Codebase: Partial}},
		{"other build", func(_ *Source, m *Measured) { m.Revision = "other" }, map[Factor]Grade{Codebase: Partial}},
		{"commit in an answer", func(_ *Source, m *Measured) { m.Revision, m.Commit = "", "/version" }, nil},
		{"no lock", func(s *Source, _ *Measured) { s.Manifests[0].Lock = "" }, map[Factor]Grade{Dependencies: Fail}},
		{"loose", func(s *Source, _ *Measured) { s.Manifests[0].Loose = []string{"flask"} }, map[Factor]Grade{Dependencies: Partial}},
		{"online build", func(_ *Source, m *Measured) { m.Builds.Offline = false }, map[Factor]Grade{Dependencies: Partial}},
		{"broken build", func(_ *Source, m *Measured) { m.Builds.Failed = "no" }, map[Factor]Grade{Dependencies: Fail, BuildReleaseRun: Fail}},
		{"different builds", func(_ *Source, m *Measured) { m.Builds.Same = false }, map[Factor]Grade{BuildReleaseRun: Partial}},
		{"secret", func(s *Source, _ *Measured) { s.Secrets = []Secret{{Place{"a.go", 3}, "private key", false}} }, map[Factor]Grade{Configuration: Fail}},
		{"secret in a test", func(s *Source, _ *Measured) { s.Secrets = []Secret{{Place{"a_test.go", 3}, "private key", true}} }, nil},
		{"no source", func(s *Source, _ *Measured) { s.Files = 0 }, map[Factor]Grade{Configuration: Partial}},
		{"unnamed variable", func(_ *Source, m *Measured) { m.Missing[0].Named = false }, map[Factor]Grade{Configuration: Fail}},
		{"hangs without a variable", func(_ *Source, m *Measured) { m.Missing[0] = MissingVariable{Name: "KEY", Hung: true} }, map[Factor]Grade{Configuration: Fail}},
		{"no backing service", func(_ *Source, m *Measured) { m.Backing = nil }, map[Factor]Grade{BackingServices: NotTested}},
		{"unreachable", func(_ *Source, m *Measured) { m.Backing[0].Reachable = false }, map[Factor]Grade{BackingServices: NotTested}},
		{"never recovers", func(_ *Source, m *Measured) { m.Backing[0].Recovered = false }, map[Factor]Grade{BackingServices: Fail}},
		{"dies with it", func(_ *Source, m *Measured) { m.Backing[0].Died = true }, map[Factor]Grade{BackingServices: Fail}},
		{"read-only", func(_ *Source, m *Measured) { m.First.ReadOnly = false }, map[Factor]Grade{BuildReleaseRun: Fail}},
		{"no namespaces", func(_ *Source, m *Measured) { m.First = FirstProcess{Reason: "not permitted"} }, map[Factor]Grade{BuildReleaseRun: Partial, Concurrency: Partial}},
		{"deaf as process 1", func(_ *Source, m *Measured) { m.First.Ended = false }, map[Factor]Grade{Concurrency: Partial}},
		{"no restart", func(_ *Source, m *Measured) { m.Restart.Ready = false }, map[Factor]Grade{Processes: Fail}},
		{"state in its folder", func(_ *Source, m *Measured) { m.Writes = []Write{{"x.db", InFolder, false}} }, map[Factor]Grade{Processes: Fail}},
		{"state in a volume", func(_ *Source, m *Measured) { m.Writes = []Write{{"x.db", InData, false}} }, map[Factor]Grade{Processes: Partial}},
		{"a volume", func(_ *Source, m *Measured) { m.Volume = true }, map[Factor]Grade{Concurrency: Partial}},
		{"temporary files", func(_ *Source, m *Measured) { m.Writes = []Write{{"x", InTemp, false}} }, nil},
		{"leaves processes", func(_ *Source, m *Measured) { m.Survived = 2 }, map[Factor]Grade{Processes: Partial}},
		{"fixed port", func(_ *Source, m *Measured) { m.Listens, m.SecondReady, m.BothAnswered = []int{80}, false, false },
			map[Factor]Grade{Configuration: Fail, PortBinding: Fail, Concurrency: Fail, Parity: Partial}},
		{"slow start", func(_ *Source, m *Measured) { m.ReadyAfter = time.Minute }, map[Factor]Grade{Disposability: Partial}},
		{"loses requests", func(_ *Source, m *Measured) { m.Drain.Lost = 1 }, map[Factor]Grade{Disposability: Fail}},
		{"nothing on its way", func(_ *Source, m *Measured) { m.Drain.InFlight = 0 }, map[Factor]Grade{Disposability: Partial}},
		{"ignores SIGTERM", func(_ *Source, m *Measured) { m.Drain.Ended = false }, map[Factor]Grade{Disposability: Fail}},
		{"Java's status", func(_ *Source, m *Measured) { m.Drain.Status = 143 }, nil},
		{"ended by the signal", func(_ *Source, m *Measured) { m.Drain.Status, m.Drain.Signaled = 143, true }, map[Factor]Grade{Disposability: Partial}},
		{"status 2", func(_ *Source, m *Measured) { m.Drain.Status = 2 }, map[Factor]Grade{Disposability: Partial}},
		{"other database", func(s *Source, _ *Measured) {
			s.Env = []EnvSet{{"dev.env", ".env", map[string]string{"DB": "sqlite:x"}}, {"prod.env", ".env", map[string]string{"DB": "postgres://db/x"}}}
		}, map[Factor]Grade{Parity: Fail}},
		{"other keys", func(s *Source, _ *Measured) {
			s.Env = []EnvSet{{"dev.env", ".env", map[string]string{"A": "1"}}, {"prod.env", ".env", map[string]string{"B": "1"}}}
		}, map[Factor]Grade{Parity: Partial}},
		{"log file", func(_ *Source, m *Measured) { m.Writes = []Write{{"x.log", InFolder, true}} }, map[Factor]Grade{Logs: Fail}},
		{"blocked by its reader", func(_ *Source, m *Measured) { m.Slow.Blocked = 1 }, map[Factor]Grade{Logs: Partial}},
		{"no task", func(_ *Source, m *Measured) { m.AdminRun = nil }, map[Factor]Grade{AdminProcesses: NotTested}},
		{"failed task", func(_ *Source, m *Measured) { m.AdminRun.Status = 1 }, map[Factor]Grade{AdminProcesses: Fail}},
		{"shell form", func(s *Source, _ *Measured) { s.Docker = []Place{{"Dockerfile", 3}} }, map[Factor]Grade{Concurrency: Partial}},
	} {
		s, m := perfect()
		x.change(&s, m)
		for _, f := range Judge(s, m).Findings {
			want, ok := x.want[f.Factor]
			if !ok {
				want = Pass
			}
			if f.Grade != want {
				t.Errorf("%s: %s is %s, want %s: %v", x.name, f.Factor, f.Grade, want, f.Evidence)
			}
		}
	}
}

// The source alone proves nothing.
func TestJudgeSource(t *testing.T) {
	s, _ := perfect()
	for _, f := range Judge(s, nil).Findings {
		if f.Grade == Pass || f.Grade == Fail {
			t.Errorf("%s: %s without having run", f.Factor, f.Grade)
		}
	}
}

func TestSecrets(t *testing.T) {
	random := "q7Zr2LxV9nKd4Tb8Wm1Yc6Hf3Jg5Ps0AeUv2"
	for line, want := range map[string]string{
		"-----BEGIN RSA " + "PRIVATE KEY-----":                     "private key",
		"key := \"AKIA" + "Q3EGZJWN5TLXKDRV\"":                     "AWS access key",
		"AKIA" + "IOSFODNN7EXAMPLE":                                "",
		"token: ghp_" + random:                                     "GitHub token",
		"xoxb-" + "123456789012-abcdefghijkl":                      "Slack token",
		"sk_live_" + random[:24]:                                   "Stripe live key",
		"DATABASE_URL=postgres://app:" + "h8Kq2mZx@db.corp/x":      "password in a URL",
		"postgres://user:password@localhost/x":                     "",
		"postgres://app:${DB_PASSWORD}@db/x":                       "",
		`password = "` + "Tr0ub4dor&3" + `"`:                       "password in the code",
		`password = os.environ["DB_PASSWORD"]`:                     "",
		`"password": "changeme123"`:                                "",
		`api_key: "{{ .Values.key }}"`:                             "",
		`secret: "` + "9f86d081884c7d659a2feaa0c55ad015" + `"`:     "password in the code",
		"// the password is asked for when the program starts":     "",
		"https://example.org/path:with@colon":                      "",
		strings.Repeat("x", 5000) + " AKIA" + "Q3EGZJWN5TLXKDRV\"": "",
	} {
		found := findSecrets("main.go", []byte("\n"+line+"\n"))
		kind := ""
		if len(found) > 0 {
			kind = found[0].Kind
			if found[0].Line != 2 {
				t.Errorf("%.60q: line %d", line, found[0].Line)
			}
		}
		if kind != want {
			t.Errorf("%.60q: %q, want %q", line, kind, want)
		}
	}
}

func TestManifests(t *testing.T) {
	files := map[string]string{
		"go.mod": "module x\n", "web/package.json": `{"dependencies":{}}`, "package-lock.json": "{}",
		"java/pom.xml": "<version>1-SNAPSHOT</version><dependency><artifactId>a</artifactId><version>1.2</version></dependency>" +
			"<dependency><artifactId>b</artifactId>\n<version>[1.0,2.0)</version></dependency><dependency><artifactId>c</artifactId><version>LATEST</version></dependency>",
		"exact/pom.xml": "<dependency><artifactId>a</artifactId><version>1.2</version></dependency>", "none/pom.xml": "<version>1-SNAPSHOT</version>",
		"gradle/build.gradle": "dependencies { implementation 'a.b:c:1.+'\n api \"d:e:1.2.3\" }", "kts/build.gradle.kts": `dependencies { implementation("a:b:1.+") }`, "kts/gradle.lockfile": "a:b:1.4=x",
		"worker/requirements.txt": "flask==3.0\nrequests>=2 # any\n", "a/b/c/d/go.mod": "module y", "testdata/package.json": "{}",
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	got := fmt.Sprintf("%+v", manifests(names, func(n string) []byte { return []byte(files[n]) }))
	want := "[{File:exact/pom.xml Lock:exact/pom.xml None:false Loose:[]} {File:go.mod Lock: None:true Loose:[]} {File:gradle/build.gradle Lock:gradle/build.gradle None:false Loose:[a.b:c 1.+]} " +
		"{File:java/pom.xml Lock:java/pom.xml None:false Loose:[b [1.0,2.0) c LATEST]} {File:kts/build.gradle.kts Lock:kts/gradle.lockfile None:false Loose:[]} " +
		"{File:none/pom.xml Lock:none/pom.xml None:true Loose:[]} {File:web/package.json Lock:package-lock.json None:false Loose:[]} {File:worker/requirements.txt Lock: None:false Loose:[requests>=2]}]"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestLook(t *testing.T) {
	var s Source
	variables := map[string]bool{}
	for name, text := range map[string]string{
		"Dockerfile":      "FROM scratch\nCMD node server.js\nENTRYPOINT [\"/app\"]\n",
		"package.json":    `{"scripts": {"start": "node .", "db:migrate": "x", "seed": "y"}}`,
		"Procfile":        "web: node .\nrelease: rake\n",
		"app.py":          "import os\nlog = FileHandler('x')\nurl = os.environ['DB_URL']\nkey = os.getenv(\"KEY\")\n",
		"app.js":          "const p = process.env.PORT || 80\n",
		"Shop.java":       "String a = System.getenv(\"A_JAVA\"); b = System.getenv().getOrDefault(\"B_JAVA\", \"\");\nvar log = new FileWriter(\"shop.log\", true);\n",
		"main.go":         "type c struct { A string `env:\"NAME,required\"` }\n",
		".env.production": "export A=1\nB=\"x\"\n# C=1\n",
		"conf/dev.yml":    "a: {b: 1}\nc: x\n",
	} {
		s.look(name, []byte(text), variables)
	}
	if len(s.Docker) != 1 || s.Docker[0] != (Place{"Dockerfile", 2}) {
		t.Errorf("shell forms: %v", s.Docker)
	}
	slices.Sort(s.Admin)
	if got := fmt.Sprint(s.Admin); got != "[Procfile release package.json db:migrate package.json seed]" {
		t.Errorf("tasks: %s", got)
	}
	for _, v := range []string{"DB_URL", "KEY", "PORT", "NAME", "A_JAVA", "B_JAVA"} {
		if !variables[v] {
			t.Errorf("%s is asked for; found %v", v, variables)
		}
	}
	slices.SortFunc(s.LogFiles, func(a, b Place) int { return strings.Compare(a.File, b.File) })
	if fmt.Sprint(s.LogFiles) != "[{Shop.java 2} {app.py 2}]" {
		t.Errorf("log files: %v", s.LogFiles)
	}
	if len(s.Env) != 2 {
		t.Errorf("environments: %+v", s.Env)
	}
	for _, e := range s.Env {
		if len(e.Values) != 2 {
			t.Errorf("%s: %v", e.File, e.Values)
		}
	}
}

func FuzzLook(f *testing.F) {
	f.Add("Dockerfile", []byte("CMD a\n"))
	f.Add("package.json", []byte(`{"scripts": {"migrate": "x"}}`))
	f.Add("config/production.yml", []byte("a: {b: [1, {c: d}]}\n&x y: *x"))
	f.Add(".env.dev", []byte("export A='b'\nC"))
	f.Add("requirements.txt", []byte("a==1\n-r x\nb"))
	f.Add("main.py", []byte("os.environ['A']\npassword = 'h8Kq2mZx9'\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		var s Source
		s.look(name, text, map[string]bool{})
		s.Manifests = manifests([]string{name}, func(string) []byte { return text })
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, x := range s.Secrets {
			if x.Line < 1 || x.Line > lines {
				t.Errorf("secret in line %d of %d", x.Line, lines)
			}
		}
		Judge(s, nil)
	})
}

func report() Report {
	s, m := perfect()
	s.Secrets = []Secret{{Place{"a<b>.go", 3}, "private key", false}}
	m.Backing, m.AdminRun.Status = nil, 1
	r := Judge(s, m)
	r.Path, r.Command, r.Began = "/src", []string{"./shop", "<script>"}, time.Unix(0, 0).UTC()
	return r
}

func TestFormats(t *testing.T) {
	r := report()
	text := map[string]string{}
	for _, f := range Formats {
		var b bytes.Buffer
		if err := r.Write(&b, f); err != nil {
			t.Fatal(f, err)
		}
		text[f] = b.String()
	}
	var back Report
	if err := json.Unmarshal([]byte(text["json"]), &back); err != nil || fmt.Sprint(back) != fmt.Sprint(r) {
		t.Errorf("json: %v\n%v\n%v", err, back, r)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(text["sarif"]), &log); err != nil || log.Version != "2.1.0" || len(log.Runs[0].Tool.Driver.Rules) != 12 {
		t.Errorf("sarif: %v", err)
	}
	first := log.Runs[0].Results[0]
	if first.RuleID != "factor-03" || first.Level != "error" || first.Locations[0].Physical.Artifact.URI != "a<b>.go" || first.Locations[0].Physical.Region.StartLine != 3 {
		t.Errorf("sarif: %+v", first)
	}
	var suite junitSuite
	if err := xml.Unmarshal([]byte(text["junit"]), &suite); err != nil || suite.Tests != 12 || suite.Failures != 2 || suite.Skipped != 1 {
		t.Errorf("junit: %v %+v", err, suite)
	}
	if strings.Contains(text["html"], "<script>") || !strings.Contains(text["html"], "private key in the source") {
		t.Error("html is not escaped, or lacks the evidence")
	}
	if !strings.Contains(text["badge"], "9/12") {
		t.Error(text["badge"])
	}
	for dec := xml.NewDecoder(strings.NewReader(text["badge"])); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if got := r.Summary(); got != "9 pass, 2 fail, 1 not tested" {
		t.Error(got)
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]Config{
		"no folder":  {Path: "audit.go"},
		"no value":   {Path: ".", Env: []string{"KEY"}},
		"no slash":   {Path: ".", Request: "orders"},
		"no {out}":   {Path: ".", Build: []string{"make"}},
		"no ready /": {Path: ".", Ready: "ready"},
	} {
		if err := c.Validate(); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
