// Package oracle compares every operation of the CPU backend, and the training steps of
// whole models, with XLA's.
//
// Each case is one graph that runs on both backends with the same inputs, edge values
// among them; the test prints where results differ. It needs cgo and a PJRT plugin
// for CPUs, for example that of the PyPI package xla-cpu-pjrt, so it stands behind a
// build tag:
//
//	BYOL_XLA_PLUGIN=/path/to/xla_cpu_pjrt.so go test -tags xla_oracle -v ./tools/oracle
//
// Differences that are known and meant are listed, with the reason, in expected_test.go.
package oracle
