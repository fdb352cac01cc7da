module github.com/daytwo-dev/daytwo/bench/logs

go 1.26.7

replace github.com/daytwo-dev/daytwo => ../..

require (
	github.com/daytwo-dev/daytwo v0.0.0-00010101000000-000000000000
	github.com/elastic/go-grok v0.3.1
	github.com/vjeantet/grok v1.0.1
)

require (
	github.com/dlclark/regexp2 v1.12.0 // indirect
	github.com/magefile/mage v1.15.0 // indirect
)
