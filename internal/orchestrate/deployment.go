package orchestrate

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Labels and annotations that mean something here.
const (
	labelName         = "app.kubernetes.io/name"
	labelVersion      = "app.kubernetes.io/version"
	annotationService = "daytwo.dev/service"
	annotationScrape  = "prometheus.io/scrape"
	annotationPath    = "prometheus.io/path"
	annotationPort    = "prometheus.io/port"
)

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	envName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// deployment reads an apps/v1 Deployment.
func (d *decoder) deployment(n *yaml.Node) Manifest {
	m := Manifest{Replicas: 1, Grace: 30 * time.Second, Deadline: time.Minute}
	version, kind := d.is("apiVersion", "", "apps/v1"), d.is("kind", "", "Deployment")
	version.need, kind.need = true, true
	labels, annotations := map[string]string{}, map[string]string{}
	d.object(n, "the manifest", map[string]field{
		"apiVersion": version, "kind": kind,
		"metadata": {need: true, read: func(n *yaml.Node) {
			name := d.str("metadata.name", &m.Name)
			name.need = true
			d.object(n, "metadata", map[string]field{
				"name": name, "namespace": d.is("metadata.namespace", "remove it", "default"),
				"labels":      d.words("metadata.labels", labels, nil),
				"annotations": d.words("metadata.annotations", annotations, nil),
			})
			if m.Name != "" && !dnsLabel.MatchString(m.Name) {
				d.errorf(n, "use lower case letters, digits and - in between", "metadata.name %q is not a DNS label", m.Name)
			}
		}},
		"spec": {need: true, read: func(n *yaml.Node) { d.spec(n, &m) }},
	})
	switch {
	case m.Service != "":
	case annotations[annotationService] != "":
		m.Service = annotations[annotationService]
	case labels[labelName] != "":
		m.Service = labels[labelName]
	default:
		m.Service = m.Name
	}
	if m.Version == "" {
		m.Version = labels[labelVersion]
	}
	return m
}

func (d *decoder) spec(n *yaml.Node, m *Manifest) {
	selector, labels := map[string]string{}, map[string]string{}
	places := map[string]*yaml.Node{}
	d.object(n, "spec", map[string]field{
		"replicas":                d.number("spec.replicas", 0, 1, func(v int) { m.Replicas = v }),
		"progressDeadlineSeconds": d.number("spec.progressDeadlineSeconds", 1, 86400, seconds(&m.Deadline)),
		"selector": {need: true, read: func(n *yaml.Node) {
			match := d.words("spec.selector.matchLabels", selector, places)
			match.need = true
			d.object(n, "spec.selector", map[string]field{"matchLabels": match})
		}},
		"strategy": {read: func(n *yaml.Node) {
			d.object(n, "spec.strategy", map[string]field{
				"type": d.is("spec.strategy.type", "a process is stopped before the next one starts on its port", "Recreate"),
			})
		}},
		"template": {need: true, read: func(n *yaml.Node) { d.template(n, m, labels) }},
	})
	for k, v := range selector {
		if labels[k] != v {
			d.errorf(places[k], "make them equal", "spec.selector.matchLabels %s does not match the template's labels", k)
		}
	}
}

func (d *decoder) template(n *yaml.Node, m *Manifest, labels map[string]string) {
	annotations, places := map[string]string{}, map[string]*yaml.Node{}
	d.object(n, "spec.template", map[string]field{
		"metadata": {read: func(n *yaml.Node) {
			d.object(n, "spec.template.metadata", map[string]field{
				"labels":      d.words("spec.template.metadata.labels", labels, nil),
				"annotations": d.words("spec.template.metadata.annotations", annotations, places),
			})
		}},
		"spec": {need: true, read: func(n *yaml.Node) {
			d.object(n, "spec.template.spec", map[string]field{
				"restartPolicy":                 d.is("restartPolicy", "", "Always"),
				"terminationGracePeriodSeconds": d.number("terminationGracePeriodSeconds", 0, 3600, seconds(&m.Grace)),
				"containers": {need: true, read: func(n *yaml.Node) {
					count := 0
					d.list(n, "containers", func(n *yaml.Node) {
						if count++; count == 1 {
							d.container(n, m)
						}
					})
					if count != 1 {
						d.errorf(n, "give each process a Deployment of its own", "one container is supported, not %d", count)
					}
				}},
			})
		}},
	})
	m.Service, m.Version = annotations[annotationService], labels[labelVersion]
	if m.Service == "" {
		m.Service = labels[labelName]
	}
	d.scrape(m, annotations, places)
}

// scrape reads the annotations that have become the custom for Prometheus.
func (d *decoder) scrape(m *Manifest, annotations map[string]string, places map[string]*yaml.Node) {
	scrape, err := strconv.ParseBool(annotations[annotationScrape])
	if annotations[annotationScrape] != "" && err != nil {
		d.errorf(places[annotationScrape], `write "true" or "false"`, "%s is not a boolean", annotationScrape)
	}
	s := Scrape{Path: annotations[annotationPath]}
	if s.Path == "" {
		s.Path = "/metrics"
	}
	if !strings.HasPrefix(s.Path, "/") {
		d.errorf(places[annotationPath], "begin it with /", "%s is not a path", annotationPath)
	}
	if text := annotations[annotationPort]; text != "" {
		if s.Port, err = strconv.Atoi(text); err != nil || s.Port < 1 || s.Port > 65535 {
			d.errorf(places[annotationPort], "", "%s is not a port", annotationPort)
		}
	}
	if scrape {
		m.Scrape = &s
	}
}

func (d *decoder) container(n *yaml.Node, m *Manifest) {
	var portName string
	image := d.is("image", "daytwo runs processes of this host; for container images use a cluster", "process:")
	command := d.strs("command", &m.Command)
	image.need, command.need = true, true
	probePort := func(*yaml.Node) {}
	d.object(n, "the container", map[string]field{
		"name": d.str("name", new(string)), "image": image, "command": command, "args": d.strs("args", &m.Args),
		"workingDir": {read: func(n *yaml.Node) {
			if s, ok := d.text(n, "workingDir"); ok && !filepath.IsAbs(s) {
				d.errorf(n, "", "workingDir must be an absolute path")
			} else {
				m.Dir = s
			}
		}},
		"env": {read: func(n *yaml.Node) { d.list(n, "env", func(n *yaml.Node) { d.env(n, m) }) }},
		"ports": {read: func(n *yaml.Node) {
			d.list(n, "ports", func(n *yaml.Node) {
				if m.Listens {
					d.errorf(n, "remove it", "one port is supported")
				}
				m.Listens = true
				d.object(n, "a port", map[string]field{
					"name": d.str("the port's name", &portName), "protocol": d.is("protocol", "", "TCP"),
					"containerPort": d.number("containerPort", 0, 65535, func(v int) { m.Port = v }),
				})
			})
		}},
		"readinessProbe": {read: func(n *yaml.Node) { probePort = d.probe(n, m) }},
	})
	if len(m.Command) > 0 && m.Command[0] == "" {
		d.errorf(n, "name the program", "command is empty")
	}
	probePort(&yaml.Node{Kind: yaml.ScalarNode, Value: portName})
}

func (d *decoder) env(n *yaml.Node, m *Manifest) {
	var v EnvVar
	name := d.str("an env name", &v.Name)
	name.need = true
	d.object(n, "an env entry", map[string]field{"name": name, "value": d.str("an env value", &v.Value)})
	switch {
	case v.Name == "":
	case !envName.MatchString(v.Name):
		d.errorf(n, "use letters, digits and _", "%q cannot be the name of a variable", v.Name)
	case v.Name == "PORT":
		d.errorf(n, "set ports[0].containerPort to choose it", "PORT is given to the process by daytwo")
	case strings.HasPrefix(v.Name, "DAYTWO_WORKLOAD"):
		d.errorf(n, "choose another", "%s is used by daytwo to know its processes", v.Name)
	case slices.ContainsFunc(m.Env, func(e EnvVar) bool { return e.Name == v.Name }):
		d.errorf(n, "keep one", "variable %s is set twice", v.Name)
	default:
		m.Env = append(m.Env, v)
	}
}

// probe reads a readiness probe. What it returns checks the probe's port once
// the name of the container's port is known.
func (d *decoder) probe(n *yaml.Node, m *Manifest) func(portName *yaml.Node) {
	p := &Probe{Path: "/", Period: 10 * time.Second, Timeout: time.Second, SuccessThreshold: 1, FailureThreshold: 3}
	m.Probe = p
	var port *yaml.Node
	const what = "readinessProbe"
	d.object(n, what, map[string]field{
		"initialDelaySeconds": d.number("initialDelaySeconds", 0, 3600, seconds(&p.InitialDelay)),
		"periodSeconds":       d.number("periodSeconds", 1, 3600, seconds(&p.Period)),
		"timeoutSeconds":      d.number("timeoutSeconds", 1, 600, seconds(&p.Timeout)),
		"successThreshold":    d.number("successThreshold", 1, 100, func(v int) { p.SuccessThreshold = v }),
		"failureThreshold":    d.number("failureThreshold", 1, 100, func(v int) { p.FailureThreshold = v }),
		"httpGet": {need: true, read: func(n *yaml.Node) {
			d.object(n, what+".httpGet", map[string]field{
				"path":   d.str(what+".httpGet.path", &p.Path),
				"scheme": d.is(what+".httpGet.scheme", "", "HTTP"),
				"port":   {read: func(n *yaml.Node) { port, _ = d.enter(n) }},
			})
			if !strings.HasPrefix(p.Path, "/") {
				d.errorf(n, "begin it with /", "%s.httpGet.path is not a path", what)
			}
		}},
	})
	return func(portName *yaml.Node) {
		if !m.Listens && port != nil && port.ShortTag() == "!!int" { // as in Kubernetes, it need not be declared
			if n, err := strconv.Atoi(port.Value); err == nil && n > 0 && n <= 65535 {
				m.Port, m.Listens = n, true
			}
		}
		if port == nil || port.Value != "" && (port.Value == portName.Value || port.Value == strconv.Itoa(m.Port)) {
			return
		}
		d.errorf(port, "give the name or number of the container's port, or leave it out", "%s asks another port than the container's", what)
	}
}

func seconds(to *time.Duration) func(int) {
	return func(v int) { *to = time.Duration(v) * time.Second }
}
