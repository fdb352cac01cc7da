// Package stabilitygrpc puts the policies of package stability around gRPC calls,
// outermost first, at the client and at the server:
//
//	conn, err := grpc.NewClient("dns:///payments:9090",
//		grpc.WithChainUnaryInterceptor(stabilitygrpc.UnaryClient(nil,
//			stability.NewRetry("payments"),
//			stability.NewBreaker("payments"),
//			stability.NewTimeout("payments", 2*time.Second),
//		)))
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(stabilitygrpc.UnaryServer(stability.NewAdaptive("api"))),
//		grpc.ChainStreamInterceptor(stabilitygrpc.StreamServer(stability.NewBulkhead("streams", 100))))
//
// # What is a failure
//
// Unavailable, ResourceExhausted, Internal, Unknown, DataLoss, and a
// DeadlineExceeded that is not the caller's. Other codes tell of the request and
// are successes to the policies. Callers always get the status itself.
//
// A call that a policy refused ends with a status: ResourceExhausted for
// [stability.ErrRate] and [stability.ErrThrottled], DeadlineExceeded for
// [stability.ErrTimeout] and [stability.ErrNoTime], else Unavailable; when to come
// back stands in its google.rpc.RetryInfo, which clients heed, and which tells them
// that the call was not made. errors.Is finds the
// policy's error in it.
//
// Deadlines travel by gRPC itself, priorities in the metadata "priority", as the
// urgency of RFC 9218 that [stability.Transport] sends too.
package stabilitygrpc
