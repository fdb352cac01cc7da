// The benchmark of the store of events beside ClickHouse: only the store may
// weigh on the product.
module github.com/daytwo-dev/daytwo/bench/eventdb

go 1.26.7

require github.com/daytwo-dev/daytwo v0.0.0

replace github.com/daytwo-dev/daytwo => ../..

replace github.com/hashicorp/nomad/api => github.com/hashicorp/nomad/api v0.0.0-20260907080526-08ef8f3d26da
