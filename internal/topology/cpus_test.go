package topology

import "testing"

func FuzzVCPUs(f *testing.F) {
	for _, s := range []string{"m5.large", "t3.nano", "hpc6a.48xlarge", "x.-1xlarge", ".", "m5.99999999999999999999xlarge"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := vCPUs(s); n < 0 || n > 512 {
			t.Errorf("%q has %d CPUs", s, n)
		}
	})
}
