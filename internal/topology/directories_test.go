package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A directory of an app never lies where something else is removed, nor in another
// app's, the system's or plonec's.
func TestDirectories(t *testing.T) {
	const site, database = "/srv/www/plone_instances", "/srv/www/zeoserver"
	for _, test := range []struct {
		site, database, data, blobs string // deploy_to of two apps, file storage and blobs; empty: as they are
		more                        string // of the first app
		want                        string // CODE PATH
	}{
		{want: ""},
		{data: "/var/lib/plone/filestorage", blobs: "/mnt/blobs"},
		{data: "/usr/local/plone/data", blobs: "/opt/plonecms/blobs"},
		{data: "/home/deploy/data"},
		{data: database + "/shared/var/filestorage", blobs: site + "/shared/blobs"},
		{site: "/srv/www/site", database: "/srv/www/site2"},
		{data: database + "/releases/data", want: "emptied-directory plone_zeoserver.filestorage_dir"},
		{data: database + "/releases", want: "emptied-directory plone_zeoserver.filestorage_dir"},
		{data: database + "/releases2"},
		{blobs: database + "/current/var/blobstorage", want: "emptied-directory plone_blobs.blob_dir"},
		{blobs: site + "/shared/tmp/blobs", want: "emptied-directory plone_blobs.blob_dir"},
		{data: site + "/shared/data", want: "others-directory plone_zeoserver.filestorage_dir"},
		{data: database, want: "same-directory plone_zeoserver.filestorage_dir"},
		{data: "/srv/data", blobs: "/srv/data", want: "same-directory plone_zeoserver.filestorage_dir"},
		{site: database + "/site", want: "others-directory deploy.plone_instances.deploy_to"},
		{site: "/srv/data/filestorage/site", data: "/srv/data/filestorage", want: "others-directory deploy.plone_instances.deploy_to"},
		{site: database + "/releases/site", want: "emptied-directory deploy.plone_instances.deploy_to, others-directory deploy.plone_instances.deploy_to"},
		{blobs: site + "/shared/cache/blobs", more: `, "buildout_cache_archives": [{"url": "https://example.org/a.tgz", "path": "shared/cache", "purge": true}]`,
			want: "emptied-directory plone_blobs.blob_dir"},
		{blobs: site + "/shared/cache/blobs", more: `, "buildout_cache_archives": [{"url": "https://example.org/a.tgz", "path": "shared/cache"}]`},
		{more: `, "buildout_cache_archives": [{"url": "https://example.org/a.tgz", "path": "shared/var", "purge": true}]`,
			want: "emptied-directory deploy.plone_instances.buildout_cache_archives"},
		{more: `, "buildout_cache_archives": [{"url": "https://example.org/a.tgz", "path": "shared/var-cache", "purge": true}]`},
		{data: "/var/lib/plonec/data", want: "bad-directory plone_zeoserver.filestorage_dir"},
		{data: "/var/lib/plonec2/data"},
		{data: "/opt/plonec", want: "bad-directory plone_zeoserver.filestorage_dir"},
		{data: "/usr/lib/data", want: "bad-directory plone_zeoserver.filestorage_dir"},
		{data: "/lib64/data", want: "bad-directory plone_zeoserver.filestorage_dir"},
		{data: "/", want: "bad-directory plone_zeoserver.filestorage_dir"},
		{data: "/var/log", blobs: "/run/blobs", want: "bad-directory plone_blobs.blob_dir, bad-directory plone_zeoserver.filestorage_dir"},
		{site: "/etc/plonec/site", want: "bad-directory deploy.plone_instances.deploy_to"},
	} {
		or := func(text, other string) string {
			if text == "" {
				return other
			}
			return text
		}
		stack := fmt.Sprintf(`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}},
		  "plone_zeoserver": {"filestorage_dir": %q}, "plone_blobs": {"blob_dir": %q},
		  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "deploy_to": %q%s}, "zeoserver": {"scm": {"repository": "r"}, "deploy_to": %q}}}`,
			or(test.data, "/srv/data/filestorage"), or(test.blobs, "/srv/data/blobstorage"), or(test.site, site), test.more, or(test.database, database))
		_, diags := resolve(t, stack)
		var got []string
		for _, d := range diags {
			got = append(got, d.Code+" "+d.Path)
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != test.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", test, text, test.want)
		}
	}
}
