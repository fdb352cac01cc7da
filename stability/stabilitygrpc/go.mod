// A module of its own, so that package stability needs nothing but the standard library.
module github.com/daytwo-dev/daytwo/stability/stabilitygrpc

go 1.26.7

require (
	github.com/daytwo-dev/daytwo v0.0.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261012220534-4341edf3f941
	google.golang.org/grpc v1.84.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/daytwo-dev/daytwo => ../..
