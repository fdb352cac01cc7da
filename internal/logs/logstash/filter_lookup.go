package logstash

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what people's configurations ask for, not to keep secrets
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"hash"
	"math/bits"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ua-parser/uap-go/uaparser"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (o *options) compileAt(name, s string) *grok.Pattern {
	p, err := grok.CompileExpression(s, matchTimeout)
	if err != nil {
		v, _ := o.find(name)
		o.report(v.At(), problem.From(err))
		return nil
	}
	return p
}

// randomUUID is a random UUID, version 4.
func randomUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// translate looks values up in a dictionary, written in the configuration or in a file, which is read again when it has changed.
type translate struct {
	source, target Ref
	override       bool
	exact, regex   bool
	fallback       *template
	iterate        *Ref
	words          atomic.Pointer[dictionary]

	path    string
	every   time.Duration
	mu      sync.Mutex
	checked time.Time
	stamp   time.Time
}

type dictionary struct {
	words   map[string]any
	keys    []string // in order, for expressions and parts
	pattern []*grok.Pattern
}

func newTranslate(o *options) filter {
	compatible := o.compatible()
	sourceName, targetName := "source", "target"
	if o.has("field") && !o.has("source") {
		sourceName = "field"
	}
	if o.has("destination") && !o.has("target") {
		targetName = "destination"
	}
	otherwise := "translation"
	if compatible || sourceName == "source" {
		otherwise = o.text(sourceName, "")
	}
	f := &translate{
		source: o.ref(sourceName, ""), target: o.ref(targetName, otherwise), exact: o.bool("exact", true), regex: o.bool("regex", false),
		every: o.seconds("refresh_interval", 5*time.Minute),
	}
	f.override = o.bool("override", f.target.String() == f.source.String())
	o.require(sourceName, `"field"`)
	if o.has("fallback") {
		f.fallback = o.template("fallback", "")
	}
	if s := o.text("iterate_on", ""); s != "" {
		r := parseRef(s)
		f.iterate = &r
	}
	o.ignore("refresh_behaviour", "yaml_load_strategy", "yaml_dictionary_code_point_limit")
	words := map[string]any{}
	for _, p := range o.pairs("dictionary") {
		words[p.key] = o.constant(p.value)
	}
	if path := o.text("dictionary_path", ""); path != "" {
		f.path = o.path(path)
		v, _ := o.find("dictionary_path")
		read, err := readDictionary(f.path)
		if err != nil {
			o.wrong(v.At(), "give a file that ends in .yml, .json or .csv", "dictionary_path: %v", err)
		}
		words = read
		if info, err := os.Stat(f.path); err == nil {
			f.stamp = info.ModTime()
		}
	}
	d, err := f.compile(words)
	if err != nil {
		o.report(o.plugin.Pos, problem.From(err))
	}
	f.words.Store(d)
	f.checked = time.Now()
	return f
}

func (f *translate) compile(words map[string]any) (*dictionary, error) {
	d := &dictionary{words: words, keys: sortedKeys(words)}
	if !f.regex {
		return d, nil
	}
	for _, k := range d.keys {
		p, err := grok.CompileExpression(k, matchTimeout)
		if err != nil {
			return d, err
		}
		d.pattern = append(d.pattern, p)
	}
	return d, nil
}

// readDictionary reads keys and values from a file by its ending.
func readDictionary(path string) (map[string]any, error) {
	content, err := configfile.Read(path)
	if err != nil {
		return nil, err
	}
	words := map[string]any{}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		v, err := parseJSON(content)
		if err != nil {
			return nil, err
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, problem.New(problem.Invalid, "%s is no JSON object", path)
		}
		return m, nil
	case ".yml", ".yaml":
		var m map[string]any
		if err := yaml.Unmarshal(content, &m); err != nil {
			return nil, err
		}
		for k, v := range m {
			words[k] = plainYAML(v)
		}
		return words, nil
	case ".csv":
		rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if len(r) >= 2 {
				words[r[0]] = r[1]
			}
		}
		return words, nil
	}
	return nil, problem.New(problem.Invalid, "%s is not .yml, .json or .csv", path)
}

func plainYAML(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		for i, x := range v {
			v[i] = plainYAML(x)
		}
	case map[string]any:
		for k, x := range v {
			v[k] = plainYAML(x)
		}
	}
	return v
}

// refresh reads the file again when its time has come and it has changed. A file that cannot be read leaves what was.
func (f *translate) refresh() {
	if f.path == "" || f.every <= 0 || !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	if time.Since(f.checked) < f.every {
		return
	}
	f.checked = time.Now()
	info, err := os.Stat(f.path)
	if err != nil || info.ModTime().Equal(f.stamp) {
		return
	}
	if words, err := readDictionary(f.path); err == nil {
		if d, err := f.compile(words); err == nil {
			f.stamp = info.ModTime()
			f.words.Store(d)
		}
	}
}

func (f *translate) apply(e *Event, _ func(*Event)) bool {
	f.refresh()
	d := f.words.Load()
	if f.iterate != nil {
		return f.each(e, d)
	}
	v, ok := e.get(f.source)
	if _, taken := e.get(f.target); !ok || taken && !f.override {
		return false
	}
	if list, isList := v.([]any); isList && len(list) > 0 {
		v = list[0]
	}
	out, found := f.look(d, text(v), e)
	return found && e.set(f.target, out)
}

// each looks up every element of a list, or a field of every element.
func (f *translate) each(e *Event, d *dictionary) bool {
	v, _ := e.get(*f.iterate)
	list, ok := v.([]any)
	if !ok {
		return false
	}
	plain := f.iterate.String() == f.source.String()
	var outs []any
	matched := false
	for _, x := range list {
		if plain {
			out, found := f.look(d, text(x), e)
			if !found {
				out = x
			}
			matched = matched || found
			outs = append(outs, out)
			continue
		}
		if m, isMap := x.(map[string]any); isMap {
			inner := &Event{fields: m}
			if s, has := inner.text(f.source); has {
				if out, found := f.look(d, s, e); found {
					matched = inner.set(f.target, out) || matched
				}
			}
		}
	}
	if plain && matched {
		e.set(f.target, outs)
	}
	return matched
}

func (f *translate) look(d *dictionary, s string, e *Event) (any, bool) {
	switch {
	case f.exact && f.regex:
		for i, p := range d.pattern {
			if p.Matches(s) {
				return copyValue(d.words[d.keys[i]]), true
			}
		}
	case f.exact:
		if v, ok := d.words[s]; ok {
			return copyValue(v), true
		}
	default:
		out, changed := s, false
		for i, k := range d.keys {
			if f.regex {
				if next, err := d.pattern[i].Replace(out, text(d.words[k])); err == nil && next != out {
					out, changed = next, true
				}
			} else if k != "" && strings.Contains(out, k) {
				out, changed = strings.ReplaceAll(out, k, text(d.words[k])), true
			}
		}
		if changed {
			return out, true
		}
	}
	if f.fallback != nil {
		return f.fallback.fill(e), true
	}
	return nil, false
}

// fingerprint makes a short value of fields, to tell events apart or to hide what they hold.
type fingerprint struct {
	sources     []Ref
	target      Ref
	method      string
	key         string
	base64      bool
	concatenate bool
	all         bool
}

func newFingerprint(o *options) filter {
	f := &fingerprint{
		sources: o.refs("source"), method: o.choice("method", "SHA1", "SHA1", "SHA256", "SHA384", "SHA512", "MD5", "MURMUR3", "UUID", "PUNCTUATION", "IPV4_NETWORK"),
		key: o.text("key", ""), base64: o.bool("base64encode", false), concatenate: o.bool("concatenate_sources", false), all: o.bool("concatenate_all_fields", false),
	}
	otherwise := "fingerprint"
	if o.compatible() {
		otherwise = "[event][hash]"
	}
	f.target = o.ref("target", otherwise)
	if f.sources == nil {
		f.sources = []Ref{parseRef("message")}
	}
	return f
}

func (f *fingerprint) apply(e *Event, _ func(*Event)) bool {
	switch {
	case f.method == "UUID":
		return e.set(f.target, randomUUID())
	case f.all:
		var b strings.Builder
		for _, k := range sortedKeys(e.fields) {
			if k != "@timestamp" && k != "@version" {
				fmt.Fprintf(&b, "|%s|%s", k, text(e.fields[k]))
			}
		}
		return f.store(e, b.String()+"|")
	case f.concatenate && f.method != "PUNCTUATION":
		var b strings.Builder
		for _, name := range sortedRefs(f.sources) {
			s, _ := e.text(name)
			fmt.Fprintf(&b, "|%s|%s", name, s)
		}
		return f.store(e, b.String()+"|")
	}
	matched := false
	for _, r := range f.sources {
		v, ok := e.get(r)
		if !ok {
			continue
		}
		if list, isList := v.([]any); isList {
			out := make([]any, len(list))
			for i, x := range list {
				out[i], _ = f.hash(text(x))
			}
			matched = e.set(f.target, out) || matched
			continue
		}
		matched = f.store(e, text(v)) || matched
	}
	return matched
}

func sortedRefs(refs []Ref) []Ref {
	byName := map[string]Ref{}
	for _, r := range refs {
		byName[r.String()] = r
	}
	out := make([]Ref, 0, len(refs))
	for _, k := range sortedKeys(byName) {
		out = append(out, byName[k])
	}
	return out
}

func (f *fingerprint) store(e *Event, s string) bool {
	v, ok := f.hash(s)
	return ok && e.set(f.target, v)
}

func (f *fingerprint) hash(s string) (any, bool) {
	makers := map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New, "MD5": md5.New}
	switch f.method {
	case "MURMUR3":
		return int64(int32(murmur3([]byte(s)))), true
	case "PUNCTUATION":
		return strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ' ' || c == '\t' {
				return -1
			}
			return c
		}, s), true
	case "IPV4_NETWORK":
		bitCount, err := strconv.Atoi(f.key)
		ip, bad := netip.ParseAddr(s)
		if err != nil || bad != nil || !ip.Is4() {
			return nil, false
		}
		p, err := ip.Prefix(bitCount)
		if err != nil {
			return nil, false
		}
		return p.Addr().String(), true
	}
	h := makers[f.method]()
	if f.key != "" {
		h = hmac.New(makers[f.method], []byte(f.key))
	}
	h.Write([]byte(s))
	sum := h.Sum(nil)
	if f.base64 {
		return base64.StdEncoding.EncodeToString(sum), true
	}
	return hex.EncodeToString(sum), true
}

// murmur3 is Austin Appleby's MurmurHash3_x86_32 with seed 0.
func murmur3(b []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	h, n := uint32(0), len(b)
	for ; len(b) >= 4; b = b[4:] {
		k := bits.RotateLeft32(binary.LittleEndian.Uint32(b)*c1, 15) * c2
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	k := uint32(0)
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	h ^= bits.RotateLeft32(k*c1, 15) * c2
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// userAgents knows browsers and systems by the expressions of the ua-parser project.
var userAgents = sync.OnceValues(func() (*uaparser.Parser, error) { return uaparser.New() })

// userAgent says what a browser's name tells.
type userAgent struct {
	source, target Ref
	hasTarget      bool
	prefix         string
	compatible     bool
	mu             sync.Mutex
	cache          map[string]*uaparser.Client
	most           int
}

func newUserAgent(o *options) filter {
	f := &userAgent{source: o.ref("source", ""), prefix: o.text("prefix", ""), compatible: o.compatible(), most: o.int("lru_cache_size", 100_000, 1, 1_000_000), cache: map[string]*uaparser.Client{}}
	f.target, f.hasTarget = o.target("target")
	if !f.hasTarget && f.compatible {
		f.target, f.hasTarget = parseRef("user_agent"), true
	}
	o.require("source", `"[user_agent][original]"`)
	o.refuse("daytwo knows the expressions of the ua-parser project", "regexes")
	return f
}

func (f *userAgent) client(s string) *uaparser.Client {
	f.mu.Lock()
	c, ok := f.cache[s]
	f.mu.Unlock()
	if ok {
		return c
	}
	p, err := userAgents()
	if err != nil {
		return nil
	}
	c = p.Parse(s)
	f.mu.Lock()
	if len(f.cache) >= f.most {
		clear(f.cache)
	}
	f.cache[s] = c
	f.mu.Unlock()
	return c
}

func (f *userAgent) apply(e *Event, _ func(*Event)) bool {
	v, _ := e.get(f.source)
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	s, ok := v.(string)
	if !ok || s == "" || len(s) > 10_000 {
		return false
	}
	c := f.client(s)
	if c == nil {
		return false
	}
	put := func(name, value string) {
		if value == "" {
			return
		}
		ref := parseRef(name)
		if !strings.HasPrefix(name, "[") {
			ref = parseRef(f.prefix + name)
		}
		if f.hasTarget {
			ref = Ref{append(append([]string{}, f.target.path...), ref.path...), f.target.meta}
		}
		e.set(ref, value)
	}
	version := joined(c.UserAgent.Major, c.UserAgent.Minor, c.UserAgent.Patch)
	system := joined(c.Os.Major, c.Os.Minor, c.Os.Patch, c.Os.PatchMinor)
	full := strings.TrimSpace(c.Os.Family + " " + system)
	if f.compatible {
		put("[name]", c.UserAgent.Family)
		put("[version]", version)
		put("[os][name]", c.Os.Family)
		put("[os][version]", system)
		put("[os][full]", full)
		put("[device][name]", c.Device.Family)
		put("[original]", s)
		return true
	}
	put("name", c.UserAgent.Family)
	put("version", version)
	put("major", c.UserAgent.Major)
	put("minor", c.UserAgent.Minor)
	put("patch", c.UserAgent.Patch)
	put("os", c.Os.Family)
	put("os_name", c.Os.Family)
	put("os_version", system)
	put("os_major", c.Os.Major)
	put("os_minor", c.Os.Minor)
	put("os_full", full)
	put("device", c.Device.Family)
	return true
}

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p == "" {
			break
		}
		out = append(out, p)
	}
	return strings.Join(out, ".")
}
