package tree

import (
	"testing"

	"github.com/plonec/plonec/render"
)

// What host setup does depends on these lines, and on no other of an app's.
func TestSetupIsDue(t *testing.T) {
	sum := func(build string) string {
		return setupSum([]render.File{{Path: "/etc/plonec/host.env", Content: []byte("A=1\n")}, {Path: "/etc/plonec/site/build.conf", Content: []byte(build)}}, []byte("setup"))
	}
	const build = "APP=site\nBUILD_PYTHON=python3.11\nBUILD_NODE=24.19.0\nBUILD_NODE_SUMS=()\nBUILD_FRONTEND=frontend\n"
	for change, due := range map[string]bool{
		"APP=site\nBUILD_PYTHON=python3.13\nBUILD_NODE=24.19.0\nBUILD_NODE_SUMS=()\nBUILD_FRONTEND=frontend\n":  true,
		"APP=site\nBUILD_PYTHON=python3.11\nBUILD_NODE=24.20.0\nBUILD_NODE_SUMS=()\nBUILD_FRONTEND=frontend\n":  true,
		"APP=site\nBUILD_PYTHON=python3.11\nBUILD_NODE=24.19.0\nBUILD_NODE_SUMS=(a)\nBUILD_FRONTEND=frontend\n": true,
		"APP=site\nBUILD_PYTHON=python3.11\nBUILD_NODE=24.19.0\nBUILD_NODE_SUMS=()\nBUILD_FRONTEND=volto\n":     false,
	} {
		if (sum(change) != sum(build)) != due {
			t.Errorf("a setup is due: %v; want %v after\n%s", !due, due, change)
		}
	}
}
