//go:build unix

package input

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// limitProcess bounds what this process may take, for good. The address space
// is bounded by what the runtime has reserved already and the memory limit,
// with room for the collector's own needs.
func limitProcess(cpuSeconds, memory uint64) error {
	for _, l := range []struct {
		resource int
		value    uint64
	}{
		{syscall.RLIMIT_AS, addressSpace() + 2*memory},
		{syscall.RLIMIT_CPU, cpuSeconds},
		{syscall.RLIMIT_FSIZE, 0}, // it writes no files
		{syscall.RLIMIT_CORE, 0},
	} {
		var old syscall.Rlimit
		if err := syscall.Getrlimit(l.resource, &old); err != nil {
			return err
		}
		value := min(l.value, uint64(old.Max))
		if err := setLimit(l.resource, value); err != nil && l.resource != syscall.RLIMIT_AS {
			return err // not every system bounds the address space
		}
	}
	return nil
}

func setLimit(resource int, value uint64) error {
	var limit syscall.Rlimit
	limit.Cur, limit.Max = value, value
	return syscall.Setrlimit(resource, &limit)
}

// addressSpace returns the bytes of address space in use, 0 where the system
// does not say.
func addressSpace() uint64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _, _ := strings.Cut(string(data), " ")
	n, _ := strconv.ParseUint(pages, 10, 64)
	return n * uint64(os.Getpagesize())
}
