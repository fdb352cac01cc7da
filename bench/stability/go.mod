// The benchmarks compare libraries; none of the others may weigh on the product.
module github.com/daytwo-dev/daytwo/bench/stability

go 1.26.7

require (
	github.com/afex/hystrix-go v0.0.0-20180502004556-fa1af6a1f4f5
	github.com/daytwo-dev/daytwo v0.0.0
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/sony/gobreaker/v2 v2.4.0
)

require (
	github.com/bits-and-blooms/bitset v1.24.4 // indirect
	github.com/smartystreets/goconvey v1.8.1 // indirect
)

replace github.com/daytwo-dev/daytwo => ../..
