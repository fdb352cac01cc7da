package metrics

// NewSeldom shows the log's filter to its test.
var NewSeldom = newSeldom
