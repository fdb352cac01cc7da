// Package shop is a small real system to operate: four services that sell
// office things over HTTP, each with a database of its own, built on the
// packages service and stability.
//
//	customers ──▶ storefront ──▶ catalog
//	                   │            ▲
//	                   ▼            │
//	                checkout ───────┘
//	                   │
//	                   ▼
//	                payments
//
// Package traffic makes the customers.
package shop

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/daytwo-dev/daytwo/examples/shop/catalog"
	"github.com/daytwo-dev/daytwo/examples/shop/checkout"
	"github.com/daytwo-dev/daytwo/examples/shop/payments"
	"github.com/daytwo-dev/daytwo/examples/shop/storefront"
	"github.com/daytwo-dev/daytwo/service"
)

// Workloads holds the manifests of the services, workloads/NAME.yaml. Before
// use put in, as text: ${DAYTWO}, the program that has the command `shop
// NAME`; ${DATA}, a directory for the databases.
//
//go:embed workloads/*.yaml
var Workloads embed.FS

var services = map[string]func(context.Context, service.Process) error{
	"storefront": storefront.Main, "catalog": catalog.Main, "checkout": checkout.Main, "payments": payments.Main,
}

// Run runs the named service of this process's environment until ctx ends or
// SIGTERM. Arguments may be --help or --version.
func Run(ctx context.Context, name string, args ...string) error {
	run, ok := services[name]
	if !ok {
		return &service.UsageError{Err: fmt.Errorf("the shop has no service %q, only %s", name,
			strings.Join(slices.Sorted(maps.Keys(services)), ", "))}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := service.OSProcess()
	p.Args = args
	return run(ctx, p)
}
