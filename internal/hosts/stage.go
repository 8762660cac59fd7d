package hosts

import (
	"bytes"
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
		return m.conn.Run(ctx, remote.Command{Script: f.scripts["receive"], Argv: []string{session}, Stdin: bytes.NewReader(m.manifest())})
	})
	if err != nil {
		return err
	}
	// What a bare host needs takes minutes. Where nothing is due it is not asked.
	changed := "nothing was changed there"
	if m.SetupDue() {
		changed += " but for what setup installed"
		if err := m.staged(ctx, "setup", session, diag.WithRemedy("setup failed there", "its words stand above; mend it, and do it again: "+changed)); err != nil {
			return err
		}
	}
	return m.staged(ctx, "check", session, diag.WithRemedy("the host refuses what was staged", "its words stand above; "+changed))
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

// manifest is the list of a host's files as its scripts read it, with the
// content of the secret ones.
func (m *member) manifest() []byte {
	var b bytes.Buffer
	for _, w := range m.Want {
		effects := strings.Join(w.Effects, ",")
		if effects == "" {
			effects = "-"
		}
		kind, is, more := "file", w.Sum, ""
		if w.Secret() {
			kind, is = "secret", fmt.Sprintf("%x", sha256.Sum256(w.Content))
			more = "\t" + strings.Join([]string{w.Format, w.Sources, base64.StdEncoding.EncodeToString(w.Content)}, "\t")
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s%s\n", kind, is, w.Mode, w.Owner, effects, w.Path, more)
	}
	return b.Bytes()
}

// job runs a command on the host as a job, and follows it; see remote.Job.
func (m *member) job(ctx context.Context, limit time.Duration, argv []string, stop bool, answers *remote.Answers, line, told func(string)) (int, error) {
	return m.conn.RunJob(ctx, remote.Job{
		Script: m.fleet.scripts["job"], Limit: limit, Argv: argv, Stop: stop, Asks: answers, Line: line, Told: told,
		Lost: func() { m.note(Warning, "the connection was lost; the host works on", "") },
	})
}
