package orchestrate_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be the workloads, and a daytwo to kill.
func TestMain(m *testing.M) {
	if mode := os.Getenv("PROGRAM"); mode != "" {
		program(mode)
		return
	}
	if os.Getenv("ORCHESTRATE_TEST_DAYTWO") != "" {
		daytwo()
		return
	}
	goleak.VerifyTestMain(m)
}

// program is a workload of the given nature.
func program(mode string) {
	if mode == "hang" { // whoever reads what it says may be dead already
		signal.Ignore(syscall.SIGPIPE)
	}
	fmt.Printf("I am %s %s, process %d\n", mode, os.Getenv("VERSION"), os.Getpid())
	switch mode {
	case "serve":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		go serve(200)
		<-stop
		fmt.Println("bye")
	case "unready":
		serve(503)
	case "never": // listens
		select {}
	case "crash":
		fmt.Fprintln(os.Stderr, "no disk")
		os.Exit(3)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		serve(200)
	case "flood":
		go func() {
			for i := 0; ; i++ {
				fmt.Println(i, strings.Repeat("x", 1000))
			}
		}()
		serve(200)
	case "fork": // leaves a daemon that has left the group
		child(true)
		serve(200)
	case "hide": // leaves a daemon that has cleaned its environment, too
		c := exec.Command(os.Args[0])
		c.Env = []string{"PROGRAM=hang"}
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		fmt.Println(c.Start())
		serve(200)
	case "greedy": // takes every descriptor it can get
		for n := 0; ; n++ {
			if _, err := os.Open("/dev/null"); err != nil || n == 10_000 {
				fmt.Println("opened", n)
				os.Exit(4)
			}
		}
	case "daemonise":
		child(true)
		os.Exit(0)
	case "slow":
		time.Sleep(1500 * time.Millisecond)
		serve(200)
	case "hang": // the child of those who fork
		select {}
	}
}

func child(ownSession bool) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "PROGRAM=hang")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: ownSession}
	if err := c.Start(); err != nil {
		fmt.Println(err)
	}
}

// serve answers / with what the program knows, and /ready with code.
func serve(code int) {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		dir, _ := os.Getwd()
		io.WriteString(w, strings.Join(append(os.Environ(), "ARGS="+strings.Join(os.Args[1:], " "), "DIR="+dir), "\n"))
	})
	fmt.Println(http.Serve(l, mux))
}
