package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// Repositories has one host of each app ask the app's repository, as a deploy would, whether
// it answers and has the revision; it takes a minute at most. Status came before. What is
// wrong is part of the answer.
func (f *Fleet) Repositories(ctx context.Context) []plan.Repository {
	list := []plan.Repository{}
	for _, app := range f.Apps() {
		list = append(list, plan.Repository{App: app})
	}
	ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
	defer cancel()
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() { f.askRepository(ctx, &list[i]) })
	}
	all.Wait()
	return list
}

func (f *Fleet) askRepository(ctx context.Context, r *plan.Repository) {
	i := slices.IndexFunc(f.members, func(m *member) bool {
		return m.failed == nil && m.Seen.Generation != "" && slices.Contains(m.Apps(), r.App)
	})
	if i < 0 {
		r.Error = &plan.Reason{Text: "none of its hosts answered with something applied"}
		return
	}
	m := f.members[i]
	r.Host = m.Name
	said, err := m.resolve(ctx, r.App, "--source")
	r.Revision, r.Commit = said.revision, said.commit
	if err == nil {
		return
	}
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Status == 2 {
		err = diag.WithRemedy("the host has scripts of an earlier plonec", "run plonec apply")
	}
	text, hint := f.words(err)
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	r.Error = &plan.Reason{Text: strings.Join(lines, "; "), Hint: hint}
}
