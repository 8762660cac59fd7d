package render

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// On a host that runs both halves of an app the frontend comes last, and first on the way
// back: it asks the backend. Of each half those that are down come before the others,
// and only one of the same half can do a client's work.
func TestOrderOfHalves(t *testing.T) {
	t.Parallel()
	for back, want := range map[string]string{"": "zeo c2 c1 beat v2 v1", "1": "v2 v1 zeo c2 c1 beat"} {
		cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/processes.sh"
			is_active() { [[ $1 != ?2 ]]; }
			declare -gA FIRST_UNITS=([zeo]=zeo) FRONTEND_HEALTH=([v1]=/ok [v2]=/ok)
			CLIENT_UNITS=(c1 c2 v1 v2) ROLL_BACK=$2
			order v1 v2 c1 beat c2 zeo; echo "/ $(alike c1) $(alike v2)"`, "bash", hostScripts(t), back)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != want+" / c2 v1" {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
