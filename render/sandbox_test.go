package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/schema"
)

// The schema takes the lines of the table, and no other.
func TestSandboxLinesAreTheSchemas(t *testing.T) {
	var table []string
	for _, l := range SandboxLines() {
		table = append(table, l.Name)
		if l.For == "" || l.Cost == "" {
			t.Errorf("%s: the row lacks what it is for, or its cost", l.Name)
		}
	}
	if enum := schema.Lookup("plone_instances.sandbox_lift").Item.Enum; !slices.Equal(enum, table) {
		t.Errorf("the schema takes %v, the table has %v", enum, table)
	}
}

// TestSandboxLift: a line that is lifted is out of the units of what runs the app's
// code, and nothing else is; the ZEO server keeps all of them.
func TestSandboxLift(t *testing.T) {
	const dir = "/etc/systemd/system/plone-site-"
	unit := func(name string, lift ...string) []string {
		h := processHost()
		h.Stack.PloneInstances.SandboxLift = lift
		return strings.Split(content(t, h, dir+name+".service"), "\n")
	}
	// of says whether a line is the setting's, or goes with it.
	of := func(line, name string) bool {
		return strings.HasPrefix(line, name+"=") || name == callFilter && strings.HasPrefix(line, "SystemCallErrorNumber=")
	}
	var all []string
	for _, l := range SandboxLines() {
		all = append(all, l.Name)
		for _, name := range []string{"client2", "celery"} {
			whole := unit(name)
			want := slices.DeleteFunc(slices.Clone(whole), func(line string) bool { return of(line, l.Name) })
			if got := unit(name, l.Name); !slices.Equal(got, want) {
				t.Errorf("%s without %s:\n%s", name, l.Name, strings.Join(got, "\n"))
			}
			// A process that may be anything has neither to begin with.
			has := len(want) < len(whole)
			if foreign := name == "celery" && (l.Name == writeExecute || l.Name == callFilter); has == foreign {
				t.Errorf("%s: that its unit has %s is %v", name, l.Name, has)
			}
		}
	}
	if !slices.Equal(unit("zeo", all...), unit("zeo")) {
		t.Error("the ZEO server's sandbox is another")
	}
	h := processHost()
	h.Stack.PloneInstances.SandboxLift = all
	if out := verifyUnits(t, h); out != "" {
		t.Errorf("systemd-analyze says:\n%s", out)
	}
}
