package plan

import (
	"reflect"
	"testing"
)

// TestCrontabs: what a switch takes out depends on whether there will be a new release.
func TestCrontabs(t *testing.T) {
	for _, test := range []struct {
		state map[string]string
		build string
		want  []Crontab
	}{
		{nil, "", nil},
		{map[string]string{"site.crontab": "", "site.crontab-left": ""}, "", nil},
		{map[string]string{"site.release": "2", "site.crontab": "plone 2:3"}, "", nil},
		{map[string]string{"site.release": "2", "site.crontab": "plone 1:1 2:3 0:1"}, "", []Crontab{{App: "site", User: "plone", Entries: 2, Releases: []string{"1", "0"}}}},
		{map[string]string{"site.release": "2", "site.crontab": "plone 1:1 2:3"}, "it was changed", []Crontab{{App: "site", User: "plone", Entries: 4, Releases: []string{"1", "2"}}}},
		{map[string]string{"site.release": "none", "site.crontab": "plone two?words:1 x"}, "", []Crontab{{App: "site", User: "plone", Entries: 1, Releases: []string{"two?words"}}}},
		{map[string]string{"site.crontab-left": "plone line 3 ends a part"}, "", []Crontab{{App: "site", User: "plone", Left: "line 3 ends a part"}}},
	} {
		if got := host().crontabs(test.state, []AppPlan{{App: "site", Build: test.build}}); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v %q: got %+v, want %+v", test.state, test.build, got, test.want)
		}
	}
	if got := host().Foresee(map[string]string{"site.crontab": "plone 1:1"}, false).Crontabs; len(got) != 1 {
		t.Errorf("a plan has %+v", got)
	}
}
