package topology

import (
	"math"
	"strconv"
	"strings"

	"github.com/plonec/plonec/schema"
)

// ClientCount is the number of ZEO clients of a host, always at least 1. Every
// artifact uses it. instance_count, when set, wins; else OpsWorks' backends
// times per_cpu / 8, rounded up; else CPUs times per_cpu, rounded up. ok is
// false where the stack gives none of these for the host.
//
// The two formulas are the original cookbook's (recipes/instances.rb), which
// had a third one in its HAProxy template that disagreed.
func ClientCount(p *schema.PloneInstances, i schema.Instance) (n int, ok bool) {
	switch cpus, known := CPUs(i); {
	case p.InstanceCount != nil:
		n = *p.InstanceCount
	case i.Backends > 0:
		n = ceil(float64(i.Backends) * p.PerCPU / 8)
	case known:
		n = ceil(float64(cpus) * p.PerCPU)
	default:
		return 0, false
	}
	return max(n, 1), true
}

// ceil rounds up, forgiving what a decimal such as 0.1 loses in binary.
func ceil(x float64) int { return int(math.Ceil(x - 1e-9)) }

// CPUs is the number of CPUs of an instance: as given, or from its EC2 type.
func CPUs(i schema.Instance) (int, bool) {
	if i.CPUs > 0 {
		return i.CPUs, true
	}
	n := vCPUs(i.InstanceType)
	return n, n > 0
}

// oddTypes are the EC2 types whose virtual CPUs do not follow from their size.
var oddTypes = map[string]int{
	"c1.medium": 2, "c1.xlarge": 8, "c4.8xlarge": 36, "d2.8xlarge": 36,
	"cc1.4xlarge": 16, "cc2.8xlarge": 32, "cg1.4xlarge": 16, "cr1.8xlarge": 32,
	"g2.2xlarge": 8, "g2.8xlarge": 32, "h1.2xlarge": 8, "hi1.4xlarge": 16, "hs1.8xlarge": 16,
	"m2.xlarge": 2, "m2.2xlarge": 4, "m2.4xlarge": 8,
	"x1.16xlarge": 64, "x1.32xlarge": 128,
	"t2.nano": 1, "t2.micro": 1, "t2.small": 1, "t2.medium": 2,
	"a1.medium": 1, "a1.metal": 16,
	"c5.9xlarge": 36, "c5.18xlarge": 72, "c5d.9xlarge": 36, "c5d.18xlarge": 72, "c5n.9xlarge": 36, "c5n.18xlarge": 72,
	"c5.metal": 96, "c5d.metal": 96, "c5n.metal": 72, "m5.metal": 96, "m5d.metal": 96, "r5.metal": 96, "r5d.metal": 96,
	"c6i.metal": 128, "m6i.metal": 128, "r6i.metal": 128, "c6g.metal": 64, "m6g.metal": 64, "r6g.metal": 64,
	"i3.metal": 72, "i3en.metal": 96, "z1d.metal": 48, "mac1.metal": 12, "mac2.metal": 8,
	"c7g.metal": 64, "m7g.metal": 64, "r7g.metal": 64,
	"hpc6a.48xlarge": 96, "hpc6id.32xlarge": 64,
	"hpc7a.12xlarge": 24, "hpc7a.24xlarge": 48, "hpc7a.48xlarge": 96, "hpc7a.96xlarge": 192,
	"hpc7g.4xlarge": 16, "hpc7g.8xlarge": 32, "hpc7g.16xlarge": 64,
}

// vCPUs gives the virtual CPUs of an EC2 instance type, 0 where it is not
// known. Sizes follow one rule (large 2, xlarge 4, Nxlarge 4N, medium 1); the
// exceptions are in oddTypes. Sources: EC2's published type list, and
// libcloud's copy of it for the families that are gone.
func vCPUs(instanceType string) int {
	if n, ok := oddTypes[instanceType]; ok {
		return n
	}
	family, size, ok := strings.Cut(instanceType, ".")
	if !ok || family == "" || strings.HasPrefix(family, "hpc") {
		return 0 // hpc types follow no rule
	}
	burst := strings.HasPrefix(family, "t3") || strings.HasPrefix(family, "t4")
	switch {
	case size == "nano" || size == "micro" || size == "small" || size == "medium":
		if burst {
			return 2
		}
		return 1
	case size == "large":
		return 2
	case size == "xlarge":
		return 4
	case strings.HasSuffix(size, "xlarge"):
		n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge"))
		if err != nil || n < 2 || n > 128 {
			return 0
		}
		return 4 * n
	}
	return 0
}
