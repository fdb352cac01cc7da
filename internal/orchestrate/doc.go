// Package orchestrate keeps workloads running: it deploys, supervises, rolls
// back and stops them. A workload is described by a Kubernetes Deployment whose
// image is "process:", and is one process of this host.
//
// # What the process gets
//
// Its environment holds PATH, HOME and TZ of daytwo, the variable PORT, for
// each workload {NAME}_SERVICE_HOST and {NAME}_SERVICE_PORT (as Kubernetes sets
// them for Services), and what the manifest declares; nothing else of daytwo's
// own. $(NAME) in env values, command and args is replaced as Kubernetes does:
//
//	env:
//	  - {name: CHECKOUT_URL, value: "http://$(CHECKOUT_SERVICE_HOST):$(CHECKOUT_SERVICE_PORT)"}
//
// A port is given to a workload when it, or the first reference to it, is first
// seen; it stays the same over deploys and restarts, so the order in which
// workloads are applied does not matter. Standard output and error are its log.
// Its working directory is one of its own unless the manifest names one.
//
// # How it is kept
//
// What should run is in the store: the desired revision and a generation that
// counts every wish to start anew. Run makes it so, at once and after every
// start of daytwo; whatever else happens only changes the wish. A deploy is a
// run that wishes for the new revision, waits until it is ready, and records it
// as current, or else wishes the current one back. So it can be killed at any
// point: what is wished for is known, and the run goes on.
//
// Processes end with daytwo, and so does what they started.
package orchestrate
