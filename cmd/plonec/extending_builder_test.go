package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// followBuilder tries the builder of docs/extending.md: the tree of a stack that asks
// for it, and the tree's own scripts, which make a release.
func followBuilder(t *testing.T, plonec func(args ...string) string) {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, []byte(text), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	repo, tree, stack := root+"/repo", root+"/build", root+"/stack.json"
	over, err := json.Marshal(map[string]any{"deploy": map[string]any{"site": map[string]any{
		"builder": "script", "scm": map[string]any{"repository": repo},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	write(stack, string(over), 0o644)
	plonec("build", "examples/zeo/stack.json", stack, "-o", tree)

	scripts, etc := tree+"/common/root/usr/local/lib/plonec", tree+"/hosts/app1/root/etc/plonec"
	for name, want := range map[string]string{
		etc + "/site/build.conf":                                               "\nBUILD_BUILDER='script'\n",
		etc + "/../systemd/system/plone-site-client2.service":                  `"/srv/www/site/current/bin/client2"` + "\n",
		scripts + "/builders/script.conf":                                      "\nBUILDER_CHANGED='the clients, or what the script is run with, changed'\n",
		tree + "/manifest.json":                                                `"name":"site","builder":"script"`,
		tree + "/hosts/db1/root/etc/plonec/database/deploy.cfg":                "[buildout]",
		tree + "/hosts/db1/root/etc/systemd/system/plone-database-zeo.service": "/current/parts/zeoserver/bin/runzeo",
	} {
		if text := read(name); !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%s", name, want, text)
		}
	}
	if _, err := os.Stat(etc + "/site/deploy.cfg"); err == nil {
		t.Error("an app that buildout does not make has a deploy.cfg")
	}

	// What the host's scripts make of it, below a root of its own.
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
		text := read(etc + "/" + name)
		if name == "site/app.conf" {
			text += "DEPLOY_TO=" + root + "/srv/www/site APP_HOME=" + root + " APP_USER=" + me.Username + " APP_GROUP=" + group.Name + "\n"
		}
		write(root+"/etc/plonec/"+name, text, 0o644)
	}
	if err := os.Mkdir(scripts+"/.test", 0o755); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	release := func(name, script string) (string, error) {
		t.Helper()
		write(repo+"/make-release", script, 0o755)
		git("add", "-A")
		git("commit", "-q", "-m", name)
		cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/source.sh"; load_host; load_app site
			CACHE=$DEPLOY_TO/shared/cached-copy; mkdir -p "$DEPLOY_TO/shared" "$DEPLOY_TO/releases/$2"; fetch_commit "$3"
			bash "$LIB/build" site "$2" "$3" "$ROOT/log"`, "bash", scripts, name, git("rev-parse", "HEAD"))
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	os.Mkdir(repo, 0o755)
	git("init", "-q", "-b", "main")
	out, err := release("20260101000000", `#!/bin/sh -e
mkdir bin
for address; do
	n=$((n + 1))
	printf '#!/bin/sh\necho client %s\n' "$address" >bin/client$n
	chmod +x bin/client$n
done
`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said, err := exec.Command(root + "/srv/www/site/releases/20260101000000/bin/client2").CombinedOutput()
	if err != nil || string(said) != "client 10.0.1.11:8082\n" {
		t.Errorf("the client of the release: %v: %s", err, said)
	}
	out, err = release("20260101000001", "#!/bin/sh\n")
	if err == nil || !strings.Contains(out, "the script made no bin/client1, which a unit runs") {
		t.Errorf("a release without a client: %v\n%s", err, out)
	}
}
