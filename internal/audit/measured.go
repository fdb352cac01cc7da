package audit

import "time"

// Measured is what running the program showed. The zero value of a part means
// that it was not reached.
type Measured struct {
	Ready    bool
	NotReady string // why it did not become ready

	Port         int           // that it was given
	ByArgument   bool          // the command hands the port on as {port}
	Volume       bool          // it is given a volume, {data}
	Listens      []int         // ports that it listened on
	ReadyPath    string        // answered 2xx first
	ReadyAfter   time.Duration // from the start to that
	RequestCode  int           // the answer to the load's request
	SecondPort   int           // the port of the second replica
	SecondReady  bool
	SecondReason string // why the second replica did not become ready
	BothAnswered bool   // while both ran

	Output   Output
	Slow     SlowReader
	Writes   []Write
	Commit   string // where the running program names the commit; "" if nowhere
	Revision string // commit that the executable names
	Modified bool   // that says the tree was changed
	Compiled bool   // the command is a program of its own, not a script

	Missing  []MissingVariable
	Backing  []Cut
	Restart  Restart
	Drain    Drain
	First    FirstProcess
	Builds   Builds
	AdminRun *Task
	Survived int    // processes that outlived the program and had to be ended
	Flooded  string // how much it wrote when that was stopped
}

// Output is what the program wrote.
type Output struct {
	Bytes      int64 // standard output and error, from the start to the end of the requests
	Requests   int
	PerRequest float64 // bytes
	LastLine   string
}

// SlowReader tells whether a reader of the logs that stops reading stops the
// program.
type SlowReader struct {
	Tested   bool
	Filled   bool // the pipe was full, so the program did wait or drop
	Answered int
	Blocked  int // requests without an answer
	Reason   string
}

// Write is a file that the program wrote.
type Write struct {
	Path  string // relative to its folder if within
	Where Where
	Log   bool // it is a log file
}

// Where tells the places a program writes to apart.
type Where string

// The places.
const (
	InFolder  Where = "its folder"
	InData    Where = "{data}"
	InTemp    Where = "the temporary folder"
	InHome    Where = "its home"
	Elsewhere Where = "elsewhere"
)

// MissingVariable is a start without one variable.
type MissingVariable struct {
	Name    string
	Started bool   // so it has a default
	Named   bool   // the failure names it
	Hung    bool   // neither ready nor ended
	Said    string // the last line it wrote
}

// Cut is a backing service whose connections were cut.
type Cut struct {
	Variable    string
	Address     string
	Reachable   bool // something listens there
	Connections int  // that the program made before the cut
	Died        bool // the program ended during the cut
	During      int  // status of a request during the cut; 0: none
	After       int  // status afterwards
	Recovered   bool
	Took        time.Duration
}

// Restart is a kill -9 and a start in the same place.
type Restart struct {
	Tested bool
	Ready  bool
	Took   time.Duration
	Reason string
}

// Drain is a SIGTERM under load.
type Drain struct {
	Tested   bool
	Reason   string // why not
	Served   int    // before
	InFlight int
	Lost     int
	Error    string // the first loss
	Exit     time.Duration
	Ended    bool // within the grace time
	Signaled bool // by the signal itself: the program does not handle it
	Status   int  // 0 to 255, 128+n for a signal
}

// FirstProcess is a run as process 1 of namespaces of its own with the root
// file system read-only.
type FirstProcess struct {
	Tested   bool
	Reason   string // why not
	ReadOnly bool   // it became ready with a read-only root
	Refused  string // why it did not
	Ended    bool   // it ended on SIGTERM
	Exit     time.Duration
}

// Builds are two builds of the same source.
type Builds struct {
	Tested  bool
	Failed  string // the last line of a build that failed
	Offline bool   // the first had no network
	Same    bool
	Hash    string
	Took    time.Duration
}

// Task is an administrative task that was run.
type Task struct {
	Command string
	Status  int
	Said    string
	Took    time.Duration
}
