// Command shop runs one service of the shop, or its customers.
//
//	shop storefront|catalog|checkout|payments [--help]
//	shop traffic [-url URL] [-rate N]
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/daytwo-dev/daytwo/examples/shop"
	"github.com/daytwo-dev/daytwo/examples/shop/traffic"
	"github.com/daytwo-dev/daytwo/service"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: shop storefront|catalog|checkout|payments|traffic")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if os.Args[1] == "traffic" {
		flags := flag.NewFlagSet("traffic", flag.ExitOnError)
		url := flags.String("url", "http://127.0.0.1:8080", "where storefront answers")
		rate := flags.Float64("rate", 20, "requests a second")
		_ = flags.Parse(os.Args[2:])
		err = traffic.Run(ctx, traffic.Config{StorefrontURL: *url, Rate: *rate, Logger: slog.Default()})
	} else {
		err = shop.Run(ctx, os.Args[1], os.Args[2:]...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(service.ExitCode(err))
	}
}
