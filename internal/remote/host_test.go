package remote

import (
	"context"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
)

func TestMain(m *testing.M) { remotetest.Main(m) }

// jobScript stands for the text of the host's script.
const jobScript = "# usage: job\n"

// newHost is a host, to which somebody has logged in, that answers to all commands.
func newHost(t *testing.T, answer func(words []string) remotetest.Reply, secrets ...tree.Secret) *Host {
	t.Helper()
	remotetest.Answer(t, func(_ string, words []string) remotetest.Reply {
		if words[0] == "/bin/true" {
			return remotetest.Reply{}
		}
		return answer(words)
	})
	d, err := NewDialer(&tree.Disk{Manifest: &tree.Manifest{Secrets: secrets}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	h := d.Host(tree.Host{Name: "app1", SSHAddress: "app1"})
	if h.Connected() {
		t.Error("nobody has logged in")
	}
	if err := h.Ask(context.Background(), Command{Argv: []string{"/bin/true"}, Stdin: strings.NewReader(""), Line: func(string) {}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// Each way to ask a host passes on the words and the lines.
func TestAsk(t *testing.T) {
	h := newHost(t, func(words []string) remotetest.Reply {
		return remotetest.Reply{Out: strings.Join(words, " ") + "\r\n"}
	})
	first := h.conn
	for _, ask := range []func(context.Context, Command) error{h.Ask, h.Run, h.RunFresh, h.AskAnew} {
		var got []string
		what := Command{Argv: []string{"echo", "it's"}, Stdin: strings.NewReader(""), Line: func(line string) { got = append(got, line) }}
		if err := ask(context.Background(), what); err != nil || len(got) == 0 || got[len(got)-1] != "echo it's" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if h.conn == first {
		t.Error("the new login did not take the old one's place")
	}
	if h.Close(); h.Connected() {
		t.Error("it is still there")
	}
}
