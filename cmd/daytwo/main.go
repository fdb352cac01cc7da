// Command daytwo is the whole product: server, demo and client in one binary.
package main

import (
	"os"

	"github.com/daytwo-dev/daytwo/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
