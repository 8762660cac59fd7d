package trust

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// Keys of hosts.
const (
	ours    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Qm0LX9pGq4m3e0Vt1gX8o0H2cYbWjK7u5rN6sT4vE"
	another = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMHUOgm4uU6SRhIXUxzDOb1VSyAsW6xJ6jSrEpfGcpKG"
)

// checkout makes a git repository with a tree of hosts in build, committed, and as
// origin/main has it.
func checkout(t *testing.T, list ...tree.Host) (git func(...string), write func(...tree.Host) *tree.Disk) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	git = func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	write = func(list ...tree.Host) *tree.Disk {
		t.Helper()
		m := tree.Manifest{Format: tree.Format, Plonec: "1.2.3", Hosts: list}
		data, err := m.Bytes()
		if err == nil {
			err = os.MkdirAll("build", 0o755)
		}
		if err == nil {
			err = os.WriteFile("build/"+tree.ManifestName, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return &tree.Disk{Dir: "build", Manifest: &m}
	}
	git("init", "-q", "-b", "main", ".")
	if err := os.WriteFile("known_hosts", []byte("app1 "+ours+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(list...)
	git("add", ".")
	git("commit", "-q", "-m", "one")
	git("update-ref", "refs/remotes/origin/main", "HEAD")
	return git, write
}

func app(name, address string) tree.Host {
	return tree.Host{Name: name, SSHAddress: address, Status: "online", SSH: tree.SSH{User: "admin", KnownHosts: "../known_hosts"}}
}

func strangersOf(t *testing.T, disk *tree.Disk) string {
	t.Helper()
	trusted, err := New(disk, "")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := trusted.Strangers(disk.Manifest.Hosts)
	return text
}

// What was applied from this checkout is trusted from then on, and nothing else.
func TestAppliedHostsAreTrusted(t *testing.T) {
	_, write := checkout(t, app("app1", "10.0.0.1"), app("app2", "10.0.0.2"))
	if got := strangersOf(t, write(app("app1", "10.0.0.1"), app("app2", "10.0.0.2"))); got != "" {
		t.Fatalf("as it was pushed: %s", got)
	}
	moved := write(app("app1", "10.0.0.9"), app("app2", "10.0.0.2"), app("app3", "10.0.0.3"))
	want := "these hosts are not as origin/main has them:\n  app1  ssh address 10.0.0.1 → 10.0.0.9\n  app3  new: admin@10.0.0.3, known_hosts ../known_hosts"
	if got := strangersOf(t, moved); got != want {
		t.Errorf("got %s", got)
	}
	note := func(disk *tree.Disk, list ...tree.Host) {
		t.Helper()
		trusted, err := New(disk, "")
		if err == nil {
			err = trusted.Note(list)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	note(moved, moved.Manifest.Hosts[0]) // app3 was not confirmed
	if got := strangersOf(t, moved); strings.Contains(got, "app1") || !strings.Contains(got, "app3") {
		t.Errorf("app1 was applied, app3 was not: %s", got)
	}
	note(moved, moved.Manifest.Hosts[2])
	if got := strangersOf(t, moved); got != "" {
		t.Errorf("both were applied: %s", got)
	}
	// A third place is neither; nor are other keys, or another tree of the repository.
	if got := strangersOf(t, write(app("app1", "10.0.0.66"))); !strings.Contains(got, "app1  ssh address 10.0.0.1 → 10.0.0.66") {
		t.Errorf("got %s", got)
	}
	if err := os.WriteFile("known_hosts", []byte("app1 "+another+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	moved = write(app("app1", "10.0.0.9"))
	if got := strangersOf(t, moved); !strings.Contains(got, "app1  known_hosts holds other keys\n    - app1 ssh-ed25519 SHA256:h2bfTSEtiyCFs58o+uje/UeT86i4JhWnsbfkECNSp3I\n    + app1 ssh-ed25519 SHA256:rst4/Kfi10kuaYUB2NgA/+opqHdgflV1DxmKMemSGRk") {
		t.Errorf("got %s", got)
	}
	note(moved, moved.Manifest.Hosts...) // ssh's keys as they are now
	if got := strangersOf(t, moved); got != "" {
		t.Errorf("its keys were applied: %s", got)
	}
	if err := os.Rename("build", "other"); err != nil {
		t.Fatal(err)
	}
	if got := strangersOf(t, &tree.Disk{Dir: "other", Manifest: moved.Manifest}); !strings.Contains(got, "new") {
		t.Errorf("another tree: %s", got)
	}
	// A note that cannot be read is none.
	if err := os.WriteFile(".git/plonec/hosts.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("other", "build"); err != nil {
		t.Fatal(err)
	}
	if got := strangersOf(t, moved); !strings.Contains(got, "10.0.0.9") {
		t.Errorf("got %s", got)
	}
}

// Without a branch that is deployed from, what was applied last is all that there is.
func TestAppliedHostsWithoutOrigin(t *testing.T) {
	git, write := checkout(t, app("app1", "10.0.0.1"))
	git("update-ref", "-d", "refs/remotes/origin/main")
	disk := write(app("app1", "10.0.0.1"))
	if got := strangersOf(t, disk); !strings.HasPrefix(got, "nobody says yet that these are the hosts (there is no origin/HEAD, ") {
		t.Errorf("got %s", got)
	}
	trusted, err := New(disk, "")
	if err == nil {
		err = trusted.Note(disk.Manifest.Hosts)
	}
	if got := strangersOf(t, disk); err != nil || got != "" {
		t.Errorf("got %s, %v", got, err)
	}
	if got := strangersOf(t, write(app("app1", "10.0.0.9"))); !strings.HasPrefix(got, "these hosts are not as they were applied last from here (there is no ") || !strings.Contains(got, "10.0.0.1 → 10.0.0.9") {
		t.Errorf("got %s", got)
	}
}

// Each checkout has its own note, also where they share a repository.
func TestWorktreesTrustApart(t *testing.T) {
	git, write := checkout(t, app("app1", "10.0.0.1"))
	other := filepath.Join(t.TempDir(), "other")
	git("worktree", "add", "-q", other)
	disk := write(app("app1", "10.0.0.9"))
	trusted, err := New(disk, "")
	if err == nil {
		err = trusted.Note(disk.Manifest.Hosts)
	}
	if err != nil || strangersOf(t, disk) != "" {
		t.Fatalf("not noted (%v)", err)
	}
	t.Chdir(other)
	if got := strangersOf(t, write(app("app1", "10.0.0.9"))); !strings.Contains(got, "10.0.0.1 → 10.0.0.9") {
		t.Errorf("got %q", got)
	}
}

// Keys are a branch's wherever they lie in the repository, and however they get there;
// those outside are not.
func TestKnownHostsOfTheBranch(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(outside, []byte("app1 "+another+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	at := func(file string) tree.Host {
		h := app("app1", "10.0.0.1")
		h.SSH.KnownHosts = file
		return h
	}
	git, write := checkout(t, at(outside))
	if got := strangersOf(t, write(at(outside))); got != "" {
		t.Errorf("outside: %s", got)
	}
	for _, change := range []func() error{
		func() error { return os.Symlink(outside, "keys") },
		func() error { return os.Mkdir("keys", 0o755) },
		func() error {
			return os.Symlink(filepath.Dir(outside), "folder") // and the file in it
		},
	} {
		file := "../keys"
		write(at(file), tree.Host{Name: "app2", SSHAddress: "a", SSH: tree.SSH{KnownHosts: "../folder/keys"}})
		git("add", ".")
		git("commit", "-q", "--allow-empty", "-m", "main")
		git("update-ref", "refs/remotes/origin/main", "HEAD")
		if err := change(); err != nil {
			t.Fatal(err)
		}
		disk := write(at(file), tree.Host{Name: "app2", SSHAddress: "a", SSH: tree.SSH{KnownHosts: "../folder/keys"}})
		if got := strangersOf(t, disk); !strings.Contains(got, "known_hosts holds other keys") {
			t.Errorf("got %q", got)
		}
		for _, name := range []string{"keys", "folder"} {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A comment, a blank, another order and a key that stands twice are no other keys; and
// who is told of other keys is told which.
func TestKnownHostsByTheirKeys(t *testing.T) {
	_, write := checkout(t, app("app1", "10.0.0.1"))
	disk := write(app("app1", "10.0.0.1"))
	for text, want := range map[string]string{
		"# ours\n\n\tapp1   " + ours + "  of the machine\r\napp1 " + ours + "\n": "",
		"app1 " + ours + "\nTOKEN=of-somebody\n":                                 "    and 1 changed line without a key, not shown",
		"":                                                                       "    - app1 ssh-ed25519 SHA256:h2bfTSEtiyCFs58o+uje/UeT86i4JhWnsbfkECNSp3I",
		"@cert-authority * " + another:                                           "    + @cert-authority * ssh-ed25519 SHA256:rst4/Kfi10kuaYUB2NgA/+opqHdgflV1DxmKMemSGRk",
		"app1 TOKEN=of-somebody AAAAC3NzaC1lZDI1NTE5AAAAIMHUOgm4uU6SRhIXUxzDOb1VSyAsW6xJ6jSrEpfGcpKG": "    and 1 changed line without a key, not shown",
		"app1 " + ours + "\n" + strings.Repeat("#", maxKnownHosts):                                    "    + it is no file that is read: ",
	} {
		if err := os.WriteFile("known_hosts", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := strangersOf(t, disk); !strings.Contains(got, want) || (want == "") != (got == "") || strings.Contains(got, "TOKEN") || strings.HasSuffix(got, "keys") {
			t.Errorf("%.80q: got %s", text, got)
		}
	}
}

// What changed stands first and whole, whatever else a branch adds to hide it.
func TestChangedHostsStandOut(t *testing.T) {
	many := func(n int, changed string) []tree.Host {
		var list []tree.Host
		for i := range n {
			list = append(list, app(fmt.Sprintf("app%d", i+1), fmt.Sprintf("10.0.0.%d", i+1)))
		}
		return append(list, app("db1", changed), app("lb1", "10.0.2.1"))
	}
	_, write := checkout(t, many(0, "10.0.1.1")...)
	noise := ""
	for i := range 40 {
		noise += fmt.Sprintf("noise%d %s\n", i, another)
	}
	if err := os.WriteFile("known_hosts", []byte(noise+"app1 "+ours+"\n10.0.1.66 "+another+"\n[lb1]:2222 "+another+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strangersOf(t, write(many(60, "10.0.1.66")...)), "\n")
	const sum = " ssh-ed25519 SHA256:rst4/Kfi10kuaYUB2NgA/+opqHdgflV1DxmKMemSGRk"
	want := []string{"these hosts are not as origin/main has them:", "  db1  ssh address 10.0.1.1 → 10.0.1.66", "  db1 lb1  known_hosts holds other keys",
		"    + 10.0.1.66" + sum, "    + [lb1]:2222" + sum}
	if !slices.Equal(got[:min(len(want), len(got))], want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	want = []string{"    and 32 more keys of other hosts", "  app1..app60  new: admin@10.0.0.1..10.0.0.60, known_hosts ../known_hosts"}
	if !slices.Equal(got[max(0, len(got)-2):], want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Of many hosts those that changed alike are one line, and the others one each.
func TestManyChangedHosts(t *testing.T) {
	many := func(port int) (list []tree.Host) {
		for i := range 30 {
			h := app(fmt.Sprintf("app%d", i+1), fmt.Sprintf("10.0.0.%d", i+1))
			h.SSH.Port = port
			list = append(list, h)
		}
		return list
	}
	_, write := checkout(t, many(0)...)
	list := many(2222)
	list[29].SSHAddress = "10.0.0.66"
	want := "these hosts are not as origin/main has them:\n  app1..app29  port not set → 2222\n  app30  ssh address 10.0.0.30 → 10.0.0.66, port not set → 2222"
	if got := strangersOf(t, write(list...)); got != want {
		t.Errorf("got %s", got)
	}
}

// A key is a host's own by its name, its address, a pattern, or what ssh-keygen -H
// makes of them.
func TestKnownKeysOfHosts(t *testing.T) {
	const salt = "QbSj/fJz+C17s6prADCrZ267G1c="
	for hosts, want := range map[string]bool{
		"app1": true, "other,10.0.0.1": true, "[10.0.0.1]:2222": true, "*.example": true, "other": false, "10.0.0.10": false,
		"|1|" + salt + "|BIxddWA1BpMX/T3OYOwNnmzTplc=": true, "|1|" + salt + "|" + saltedSum(salt, "10.0.0.2"): false, "|1|none|": false,
	} {
		if k, ok := parseKey(hosts + " " + ours); !ok || k.of([]string{"app1", "10.0.0.1"}) != want {
			t.Errorf("%s: %v, %v", hosts, k, ok)
		}
	}
}

// Each of a manifest's entries is judged, also where two have one name.
func TestEachEntryIsJudged(t *testing.T) {
	checkout(t, app("app1", "10.0.0.1"))
	list := []tree.Host{app("app1", "10.0.0.66"), app("app1", "10.0.0.1")}
	if got := strangersOf(t, &tree.Disk{Dir: "build", Manifest: &tree.Manifest{Hosts: list}}); !strings.Contains(got, "app1  ssh address 10.0.0.1 → 10.0.0.66") {
		t.Errorf("got %q", got)
	}
}
