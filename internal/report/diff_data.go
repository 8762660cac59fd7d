package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/topology"
)

// DiffFormat is the version of the layout of diff --format json.
const DiffFormat = 1

// A Diff says what a change of the stack does.
type Diff struct {
	Format int    `json:"format"`
	Before string `json:"before"`
	After  string `json:"after"`
	Plonec struct {
		Before string `json:"before,omitempty"`
		After  string `json:"after"`
	} `json:"plonec"` // releases
	Set    []Setting `json:"set,omitempty"` // of explain --set, in place of Causes
	Causes []Cause   `json:"causes,omitempty"`
	// Unknown is why it is not known what of this the stack asks for; empty: Causes
	// is all of it.
	Unknown string           `json:"causes_unknown,omitempty"`
	All     *plan.Comparison `json:"effects"`
	Look    []string         `json:"look"`
	Later   []string         `json:"later"` // what is seen only when it is done
	// Stale says that the tree on disk, which is not compared, is not what the stack
	// gives; empty where it is, and where there is none.
	Stale string `json:"stale,omitempty"`
	// Plain is what changes without a change of the stack, since another plonec
	// built the tree; nil: nothing.
	Plain *plan.Comparison `json:"not_from_the_stack,omitempty"`

	Stack  *plan.Comparison `json:"-"` // what the stack's own changes make
	Given  string           `json:"-"` // the flags that the commands to run next are given
	Color  bool             `json:"-"`
	Full   bool             `json:"-"` // long differences are shown to their end
	NoDiff bool             `json:"-"`
	Limit  int              `json:"-"` // bytes of Markdown
}

// Changed tells whether anything does.
func (r *Diff) Changed() bool {
	return len(r.All.New)+len(r.All.Gone)+len(r.Look) > 0 || slices.ContainsFunc(r.All.Hosts, func(h plan.HostPlan) bool { return len(h.Files) > 0 }) ||
		slices.ContainsFunc(r.All.Absent, func(l plan.Leaver) bool { return l.Files > 0 })
}

// NoteLater notes what a comparison of trees cannot know.
func (r *Diff) NoteLater(after *topology.Topology) {
	if !r.Changed() {
		return
	}
	var revisions []string
	for _, app := range r.All.Apps {
		if slices.ContainsFunc(r.All.Hosts, func(h plan.HostPlan) bool {
			return slices.ContainsFunc(h.Deploy, func(a plan.AppPlan) bool { return a.App == app })
		}) {
			revisions = append(revisions, revisionOf(after, app)+" of "+app)
		}
	}
	if len(revisions) > 0 {
		r.Later = append(r.Later, "whether "+strings.Join(revisions, ", ")+" leads to a new commit: plonec deploy shows it")
	}
	for _, h := range r.All.Hosts {
		if slices.ContainsFunc(h.Files, func(f plan.FileChange) bool { return f.Secret }) {
			r.Later = append(r.Later, "whether the value of a secret changed: plonec plan --secrets shows it")
			break
		}
	}
}

// revisionOf is the revision of an app's repository.
func revisionOf(t *topology.Topology, app string) string {
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			if a.Name == app {
				return cmp.Or(a.Config.SCM.Revision, "HEAD")
			}
		}
	}
	return ""
}
