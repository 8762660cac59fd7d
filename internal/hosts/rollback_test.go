package hosts

import (
	"context"
	"strings"
	"testing"
)

// Before anybody is asked it is known where a rollback goes.
func TestRollbackTarget(t *testing.T) {
	f := two(t)
	f.status = map[string]string{
		"app1": "site.release=3\nsite.commit=cc\nsite.kept=1 2 3\nsite.releases=1:good:aa 2:good:bb 3:good:cc\n",
		"app2": "site.release=3\nsite.commit=cc\nsite.kept=1 3\nsite.releases=1:good:aa 3:good:cc\n",
	}
	ctx := context.Background()
	from, to, names, err := f.fleet.RollbackTarget(ctx, "site", "")
	if err != nil || from != (Target{"3", "cc"}) || to != (Target{"1", "aa"}) || strings.Join(names, " ") != "app1 app2" {
		t.Errorf("from %v to %v on %v: %v", from, to, names, err)
	}
	_, _, _, err = f.fleet.RollbackTarget(ctx, "site", "2")
	if err == nil || err.Error() != "app2: rollback: it has no release 2 of site" || f.fleet.Hint(err) != "kept are 1 3" || Told(err) {
		t.Errorf("a release that is not on all: %v; %s", err, f.fleet.Hint(err))
	}
	if err := f.fleet.Rollback(ctx, "site", "2", false); err == nil || f.fleet.Hint(err) != "kept are 1 3" || Told(err) {
		t.Errorf("the rollback itself: %v", err)
	}
	f.status["app1"], f.status["app2"] = "site.release=3\nsite.kept=3\n", "site.release=3\nsite.kept=3\n"
	if _, _, _, err = f.fleet.RollbackTarget(ctx, "site", ""); err == nil || !strings.Contains(err.Error(), "no earlier good release") {
		t.Errorf("nothing to go back to: %v", err)
	}
}
