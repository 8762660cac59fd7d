package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// debian13 is hosts of Debian 13, with a project of the structure that cookieplone 2
// makes, which wants Python 3.13. uv builds it. What answers the load is fetched by its
// mx.ini from a repository of its own.
func debian13(t *testing.T) *cluster {
	stack := zeoStack("6.2")
	delete(at(stack, "instances"), "app2")
	at(stack, "plonec")["os"] = "debian13"
	for _, app := range []string{"site", "database"} {
		a := at(stack, "deploy", app)
		a["builder"], a["backend_dir"], a["index"] = "uv", "backend", map[string]any{"offline": true}
		delete(a, "buildout_extends")
	}
	c := newCluster(t, "debian13", "", stack, "lb1", "app1", "db1")

	site := filepath.Join(work, c.name+"-site")
	c.sh(work, "cp", "-r", top+"/testdata/site", site)
	c.sh(site, "git", "init", "-q", "-b", "main")
	c.commit(site, "the site of the tests")
	c.upload(site, "plonec_testsite")

	c.push(func(dir string) {
		c.sh(dir, "cp", "-r", top+"/testdata/projects/uv-cookieplone/project/backend", "backend")
		edit("backend/mx.ini", func(text string) string {
			return strings.Replace(text, "https://git.example.com/", "ssh://admin@"+addresses["git"]+"/srv/", 1)
		})(dir)
	})
	// The lock has addresses of the index, which hosts do not reach. uv takes its versions
	// over into one of the wheels that they have.
	c.exec("git", `set -e
		apt-get install -y -q --no-install-recommends python3-venv
		python3 -m venv /opt/uv
		/opt/uv/bin/pip install -q --no-index --find-links /var/cache/plonec/wheels uv
		cd /tmp
		runuser -u admin -- bash -ec '
			git clone -q /srv/buildout.git project
			cd project/backend
			git clone -q /srv/plonec_testsite.git sources/plonec_testsite
			/opt/uv/bin/uv lock -q --no-index --find-links /var/cache/plonec/wheels'`)
	lock := c.exec("git", "cat /tmp/project/backend/uv.lock") + "\n"
	c.first.commit = c.push(func(dir string) {
		name := filepath.Join(dir, "backend/uv.lock")
		was, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := locked(string(was)), locked(lock); len(want) < 200 || !slices.Equal(got, want) {
			t.Fatalf("the lock of the hosts' wheels has\n%s\nthe project's\n%s", got, want)
		}
		if err := os.WriteFile(name, []byte(lock), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	c.bring("--new-database")
	if out := c.exec("app1", "curl -sS http://"+addresses["app1"]+":8081/@@own-site; ls /srv/www/site/current/.venv/bin; . /etc/os-release; echo $PRETTY_NAME; stat -f -c %T /sys/fs/cgroup"); !strings.HasPrefix(out, "Python 3.13.") ||
		!strings.Contains(out, ", a word of instance.yaml") || strings.Contains(out, "pytest") || !strings.HasSuffix(out, "Debian GNU/Linux 13 (trixie)\ncgroup2fs") {
		t.Fatalf("what runs is not the project on Debian 13:\n%s", out)
	}
	return c
}

// locked lists the packages of a lock with their versions.
func locked(text string) []string {
	return regexp.MustCompile(`(?m)^name = "\S+"\nversion = "\S+"$`).FindAllString(text, -1)
}

// onDebian13 are its scenarios. Those of other clusters are what asks its daemons, its
// sshd and its systemd most.
var onDebian13 = slices.Concat(
	everyday(projects, long),
	[]scenario{{"rollback, twice", projects, long, rollBackTwice}},
	again(projects, long, applies, "a reload of nginx and HAProxy", "Varnish leaves a front end, and comes back"),
	again(projects, long, breakages, "a host killed before the confirmation", "a change that breaks sshd"),
	[]scenario{{"from uv to buildout", projects, long, func(s *trial) {
		before := s.release("app1")
		s.change(func(st map[string]any) {
			site := at(st, "deploy", "site")
			delete(site, "builder")
			delete(site, "backend_dir")
			delete(site, "index")
			site["buildout_extends"] = []string{"cfg/e2e.cfg"}
		})
		s.must(0, "deploy")
		if s.release("app1") == before {
			s.t.Error("no new release")
		}
		if out := s.exec("app1", "cd /srv/www/site/current && .venv/bin/python -V && head -n 1 bin/client1 && ls parts/client1/etc"); !strings.HasPrefix(out, "Python 3.13.") || !strings.Contains(out, "/.venv/bin/python") {
			s.t.Errorf("what runs is not what buildout made:\n%s", out)
		}
	}}},
)

// again gives scenarios of another list, by name, in a group.
func again(g group, e extent, list []scenario, names ...string) []scenario {
	var chosen []scenario
	for _, name := range names {
		sc := list[slices.IndexFunc(list, func(sc scenario) bool { return sc.name == name })]
		chosen = append(chosen, scenario{name, g, e, sc.run})
	}
	return chosen
}
