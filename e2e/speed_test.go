package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A pace is how long plonec takes, beside a floor of the same run: what the
// same takes without plonec.
type pace struct {
	group           group
	name, floorName string
	plonec, floor   []time.Duration
	aim             string
}

var paces []pace

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func (p pace) row() string {
	a, b := median(p.plonec).Seconds(), median(p.floor).Seconds()
	return fmt.Sprintf("| %s | %.2f s | %s | %.2f s | %.2f | %s |", p.name, a, p.floorName, b, a/b, p.aim)
}

// beside measures both in turn, so that both see the same machine.
func (s *trial) beside(name, floorName, aim string, times int, plonec, floor func() time.Duration) {
	p := pace{group: s.scenario.group, name: name, floorName: floorName, aim: aim}
	for range times {
		p.floor = append(p.floor, floor())
		p.plonec = append(p.plonec, plonec())
	}
	s.t.Log(p.row())
	paces = append(paces, p)
}

// timed is how long something takes.
func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

// speed measures. The last of them changes the cluster.
var speed = []scenario{
	{"speed of a deploy", deploys, long, (*trial).deploySpeed},
	{"speed of a rolling restart", deploys, long, (*trial).restartSpeed},
	{"speed of an apply with nothing to do", deploys, long, (*trial).applySpeed},
}

// deploySpeed is from the command to the new "current" of one warm host,
// beside uv and buildout by hand there, in a checkout of the same.
func (s *trial) deploySpeed() {
	s.beside("deploy of a new revision on a warm host, until `current` is switched", "git clone, uv and buildout by hand", "at most 1.2", 3,
		func() time.Duration {
			s.push(edit("README.md", add("for the clock")))
			began := time.Now()
			s.must(0, "deploy", "--host", "app1", "site")
			var seconds, nanos int64
			if _, err := fmt.Sscanf(s.exec("app1", "stat -c %.9Z /srv/www/site/current"), "%d.%d", &seconds, &nanos); err != nil {
				s.t.Fatal(err)
			}
			return time.Unix(seconds, nanos).Sub(began)
		},
		func() time.Duration {
			return timed(func() {
				s.exec("app1", `cd /srv/www/site && rm -rf shared/floor && runuser -u deploy -- bash -euc '
					export UV_CACHE_DIR=/srv/www/site/shared/uv-cache TMPDIR=/srv/www/site/shared/tmp UV_PYTHON_DOWNLOADS=never
					uv=/opt/plonec/uv/bin/uv wheels=/var/cache/plonec/wheels
					git clone -q --no-hardlinks shared/cached-copy shared/floor
					cd shared/floor
					git checkout -q "$(git -C ../../current rev-parse HEAD)"
					cp -P ../../current/deploy.cfg .
					$uv venv -q --no-project .venv
					$uv pip install -q --python .venv/bin/python --no-index --find-links $wheels -r requirements.txt -c constraints.txt
					.venv/bin/buildout -c deploy.cfg buildout:find-links+=$wheels
				' && rm -rf shared/floor`)
			})
		})
	s.must(0, "deploy")
}

// restartSpeed is a roll of one host's clients, beside the same processes
// stopped, started and asked for a first page without plonec's hooks.
func (s *trial) restartSpeed() {
	s.beside("rolling restart of a host's two clients", "the clients' own stop, start and first page", "at most 1.2", 3,
		func() time.Duration {
			return timed(func() { s.must(0, "restart", "--host", "app1", "site") })
		},
		func() time.Duration {
			hooks := func(script string) {
				s.exec("app1", `for n in 1 2; do d=/run/systemd/system/plone-site-client$n.service.d; `+script+`; done; systemctl daemon-reload`)
			}
			hooks(`mkdir -p $d; printf '[Service]\nExecStartPre=\nExecStartPost=\nExecStop=\nExecStopPost=\n' >$d/floor.conf`)
			took := timed(func() {
				s.exec("app1", `for n in 1 2; do
					systemctl stop plone-site-client$n && systemctl start plone-site-client$n
					until curl -fs -o /dev/null http://`+addresses["app1"]+`:808$n/Plone; do sleep 0.05; done
				done`)
			})
			hooks(`rm -r $d`)
			s.serving(time.Minute)
			return took
		})
}

// applySpeed is an apply of 1, 4 and 16 hosts where nothing changed, beside
// rsync of the same trees to all of them at once, and Debian's ansible.
func (s *trial) applySpeed() {
	// One more host is set up, the others begin as copies of it.
	names := []string{"lb1", "app1", "app2", "db1"}
	var more []string
	for n := 3; len(names)+len(more) < 16; n++ {
		name := fmt.Sprintf("app%d", n)
		addresses[name] = fmt.Sprintf("10.77.0.%d", 100+n)
		more = append(more, name)
	}
	names = append(names, more...)
	s.change(func(stack map[string]any) {
		for _, name := range more {
			at(stack, "instances")[name] = map[string]any{"layers": []string{"plone_instances"}, "address": addresses[name], "cpus": 2}
		}
	})
	s.t.Cleanup(func() {
		for _, name := range more {
			exec.Command(top+"/testdata/hosts", "forget", run, name).Run()
		}
	})
	s.start(more[0])
	s.must(0, "apply", "--host", more[0])
	s.lab("save", run, more[0], "bench")
	s.image = map[string]string{}
	for _, name := range more {
		s.image[name] = "bench"
	}
	s.start(more...)
	s.must(0, "apply")
	for _, n := range []int{1, 4, 16} {
		list := names[:n]
		inventory := s.inventory(list)
		apply := func() time.Duration {
			out := ""
			took := timed(func() { out = s.must(0, "apply", "--host", strings.Join(list, ",")) })
			if strings.Count(out, "nothing to apply") != n {
				s.t.Fatalf("there was something to do:\n%s", out)
			}
			return took
		}
		s.beside(fmt.Sprintf("apply with nothing to do, %d hosts", n), "parallel rsync of the same trees", "at most 1.3", 5, apply, func() time.Duration { return s.rsync(list) })
		s.beside(fmt.Sprintf("apply with nothing to do, %d hosts", n), "ansible's copy of the same trees", "at most 0.05", 2, apply, func() time.Duration {
			return timed(func() {
				cmd := exec.Command("ansible-playbook", "-i", inventory, work+"/playbook.yml")
				cmd.Env = append(os.Environ(), "ANSIBLE_PIPELINING=True", "ANSIBLE_FORKS=16", "ANSIBLE_SSH_ARGS=-F "+s.runDir()+"/ssh_config -o ControlMaster=auto -o ControlPersist=60s")
				if out, err := cmd.CombinedOutput(); err != nil {
					s.t.Fatalf("ansible: %v\n%s", err, out)
				}
			})
		})
	}
}

// inventory writes what ansible needs to bring the trees to hosts, and brings
// them once by ansible and by rsync, so that both have nothing to do either.
func (c *cluster) inventory(names []string) string {
	hosts := map[string]any{}
	for _, name := range names {
		hosts[name] = map[string]any{}
	}
	file := work + "/inventory.json"
	data, err := json.Marshal(map[string]any{"all": map[string]any{"hosts": hosts}})
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err == nil {
		err = os.WriteFile(work+"/playbook.yml", []byte(`- hosts: all
  gather_facts: false
  become: true
  tasks:
    - copy: {src: "`+c.dir+`/build/hosts/{{ inventory_hostname }}/root/", dest: /var/tmp/ansible/, mode: preserve}
`), 0o644)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.rsync(names)
	return file
}

// rsync brings the trees to a directory of each host, to all at once.
func (c *cluster) rsync(names []string) time.Duration {
	return timed(func() {
		c.sh(c.dir, "bash", append([]string{"-euc", `config=$1 pids=(); shift
			for h; do rsync -a --rsync-path='sudo -n rsync' -e "ssh -F $config" "build/hosts/$h/root/" "$h:/var/tmp/rsync/" & pids+=($!); done
			for p in "${pids[@]}"; do wait "$p"; done`, "bash", c.runDir() + "/ssh_config"}, names...)...)
	})
}
