package hosts

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// stage brings the files to the host, where nothing reads them yet, and lets
// the programs that will read them judge.
func (m *member) stage(ctx context.Context, session string) error {
	f := m.fleet
	err := m.step(ctx, "stage", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stageTimeout)
		defer cancel()
		var from []string
		for _, root := range []string{f.tree.Disk.Root("*"), f.tree.Disk.Root(m.Name)} {
			if _, err := os.Stat(root); err == nil {
				from = append(from, root)
			}
		}
		link := ""
		if m.Seen.Generation != "" {
			link = plan.StateDir + "/gen/" + m.Seen.Generation + "/root"
		}
		if err := m.conn.Rsync(ctx, from, plan.StateDir+"/stage/"+session+"/root", link); err != nil {
			return err
		}
		list, err := m.list()
		if err != nil {
			return err
		}
		return m.conn.Run(ctx, remote.Command{Script: f.scripts["receive"], Argv: []string{session}, Stdin: bytes.NewReader(list)})
	})
	if err != nil {
		return err
	}
	// What a bare host needs takes minutes. Where nothing is due it is not asked.
	changed := "nothing was changed there"
	if m.SetupDue() {
		changed += " but for what setup installed"
		if err := m.staged(ctx, "setup", session, diag.WithRemedy("setup failed there", "see its output above; fix it and run it again: "+changed)); err != nil {
			return err
		}
	}
	return m.staged(ctx, "check", session, diag.WithRemedy("the host refused the staged files", "see its output above; "+changed))
}

// staged runs a verb of the transaction that was staged; failed is the error
// where the verb ends in one.
func (m *member) staged(ctx context.Context, verb, session string, failed error) error {
	return m.step(ctx, verb, func(ctx context.Context) error {
		script := plan.StateDir + "/stage/" + session + "/root" + plan.ScriptDir + "/transaction"
		status, err := m.job(ctx, setupTime, []string{"/bin/bash", script, verb, session}, true, nil, m.output(verb), func(string) {})
		if err == nil && status != 0 {
			err = failed
		}
		return err
	})
}

// list is all that the host is told with the files, as the script receive reads it:
// what waits for what, the content of the secret files, what runs there for good and
// what does no longer, and the sums that the host compares.
func (m *member) list() ([]byte, error) {
	var b bytes.Buffer
	var err error
	line := func(fields ...string) {
		text := strings.Join(fields, "\t")
		if strings.ContainsAny(text, "\n\r") || strings.Count(text, "\t") >= len(fields) {
			err = fmt.Errorf("the manifest says what cannot be told to the host: %q", text)
		}
		b.WriteString(text + "\n")
	}
	none := func(s string) string { return cmp.Or(s, "-") }
	waits := map[string]string{}
	for _, c := range m.Changes {
		if waits[c.Path] = c.Waits; c.Kind == plan.Removed {
			line("gone", none(c.Waits), c.Path)
		}
	}
	for _, w := range m.Want {
		wait, changes := waits[w.Path]
		if !changes { // but by the time that it is brought in it may
			wait = m.WaitsFor(w)
		}
		fields := []string{"file", w.Sum, w.Mode, w.Owner, none(strings.Join(w.Effects, ",")), none(wait), w.Path}
		if w.Secret() {
			fields[0], fields[1] = "secret", fmt.Sprintf("%x", sha256.Sum256(w.Content))
			fields = append(fields, w.Format, w.Sources, base64.StdEncoding.EncodeToString(w.Content))
		}
		line(fields...)
	}
	for _, s := range m.Services {
		line("service", s.Unit, s.Kind, none(s.App))
	}
	for _, unit := range m.Leaving() {
		line("leaves", unit)
	}
	line("fact", "setup", m.Setup)
	line("fact", "packages", strings.Join(m.Packages, " "))
	for _, a := range m.Host.Host.Apps {
		line("fact", "config:"+a.Name, a.Config)
	}
	return b.Bytes(), err
}

// job runs a command on the host as a job, and follows it; see remote.Job.
func (m *member) job(ctx context.Context, limit time.Duration, argv []string, stop bool, answers *remote.Answers, line, told func(string)) (int, error) {
	return m.conn.RunJob(ctx, remote.Job{
		Script: m.fleet.scripts["job"], Limit: limit, Argv: argv, Stop: stop, Asks: answers, Line: line, Told: told,
		Lost: func() { m.note(Warning, "the connection was lost; the host continues", "") },
	})
}
