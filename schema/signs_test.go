package schema

import (
	"strings"
	"testing"
)

// TestSigns: what is warned of in each kind of text, and what is not. The
// second half is as it stands in buildouts and web servers' configurations
// everywhere, and a warning of it would be a nuisance.
func TestSigns(t *testing.T) {
	long := strings.Repeat("x7Q", 13)
	for _, test := range []struct {
		kind  string
		signs []sign
		texts []string
		want  bool
	}{
		{"everywhere", everywhere, []string{
			"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----",
			"key AKIA" + strings.Repeat("X", 16) + " here", "ghp_" + strings.Repeat("x", 36), "glpat-" + strings.Repeat("x", 20),
			"postgres://plone:pw@db/plone", "redis://:pw@10.0.0.1:6379/0", "find-links = https://me:pw@eggs.example.org/",
			"https://" + long + "@sentry.example.org/2", "https://s3.example.org/eggs.tgz?X-Amz-Expires=60&X-Amz-Signature=abcdef",
			"https://pypi.example.org/simple?access_token=abc", "https://git.example.org/x.git?private-token=abc",
		}, true},
		{"everywhere", everywhere, []string{
			"-----BEGIN CERTIFICATE-----\nMIIB", "-----BEGIN PUBLIC KEY-----", "ssh://git@example.org/site.git", "git@example.org:site.git",
			"https://git@example.org/site.git", "https://example.org:8443/a@b:c@d", "postgres://plone:${db:password}@db/plone",
			"postgres://plone:$(PGPASSWORD)@db/plone", "redis://:<password>@host", "https://user:***@example.org/", "https://u:%(password)s@example.org",
			"https://dist.plone.org/release/6.1-latest/versions.cfg", "http://127.0.0.1:8080/VirtualHostBase/http/x:80/Plone/VirtualHostRoot/",
			"https://example.org/?token=$arg_token", "https://example.org/login?came_from=/secret&next=x",
			"git https://github.com/plone/Products.CMFPlone.git rev=0123456789abcdef0123456789abcdef01234567",
		}, false},
		{"pasted", inText, []string{
			"[instance]\nuser = admin:admin", "user=admin:s3cret", "zope-user = admin:pw", "[instance]\nuser += admin:pw",
			"[database]\npassword = hunter2", "db-password = 'hunter2'", "secret_key = " + long, "api-key = abcd1234", "SMTP_TOKEN = abcd1234",
			"rel-storage =\n    type postgresql\n    dsn dbname='plone' user='plone' host='db' password='hunter2'",
			"rel-storage =\n    type mysql\n    user plone\n    passwd hunter2\n", "environment-vars =\n    SMTP_PASSWORD hunter2\n    TZ UTC\n",
			"environment-vars +=\n    AWS_SECRET_ACCESS_KEY " + long, "initialization =\n    os.environ['DB'] = 'postgres://u:pw@h/d'",
			"proxy_set_header Authorization \"Basic YWRtaW46YWRtaW4=\";", "proxy_set_header X-Api-Key abcdef;", "  add_header X-Secret \"abcdef\";",
			"set $upload_secret abcdef;", "if ($http_x_auth_token != \"abcdef\") { return 403; }", "if ($arg_token = abcdef) { return 403; }",
			"secure_link_secret abcdef;", "secure_link_md5 \"$secure_link_expires$uri abcdef\";",
			"fastcgi_param APP_SECRET abcdef;", "if ($http_authorization != \"Bearer abcdef123\") { return 401; }",
		}, true},
		{"pasted", inText, []string{
			"# user = admin:admin\n; password = hunter2\n#password = x1234567", "[instance]\nuser = ${secrets:user}", "user = admin:${secrets:admin}",
			"password = ${secrets:db}", "password = $(PGPASSWORD)", "password =", "password = $__file{/run/secrets/x}", "db-password = <password>",
			"password-file = /etc/plone/password", "secret = /run/secrets/x", "token = ${:_buildout_section_name_}", "password = %(db)s", "password = ********",
			"effective-user = plone", "user = plone", "zope-conf-additional =\n    <product-config x>\n      token-lifetime 3600\n      use-token true\n    </product-config>",
			"zeo-username = plone", "http-address = 127.0.0.1:8080", "eggs +=\n    pas.plugins.authomatic\n    Products.PasswordStrength\n    collective.recaptcha",
			"[versions]\nPasteDeploy = 3.0.1\nplone.keyring = 4.0.0\ntokenlib = 2.0.0\nsecretstorage = 3.3.3", "environment-vars +=\n    PGPASSFILE /etc/pgpass\n    SMTP_PASSWORD ${secrets:smtp}\n    REQUIRE_TOKEN on",
			"parts += password-checker token-service", "recipe = collective.recipe.template\ninput = inline:\n    proxy_set_header Host $host;",
			"auth_basic \"Restricted\";\nauth_basic_user_file /etc/nginx/htpasswd;", "ssl_password_file /etc/nginx/pass;", "ssl_certificate_key /etc/nginx/ssl/x.key;",
			"proxy_set_header Authorization $http_authorization;", "proxy_set_header Authorization \"\";", "proxy_set_header X-Csrf-Token $http_x_csrf_token;",
			"map $http_authorization $anonymous { default 0; \"\" 1; }", "add_header Strict-Transport-Security max-age=63072000 always;", "server_tokens off;",
			"if ($cookie___ac = \"\") { return 403; }", "if ($http_x_token = \"\") { return 403; }", "location ~ /(reset_password|@@token) { deny all; }",
			"rewrite ^/token/(.*)$ /login?token=$1 last;", "secure_link $arg_md5,$arg_expires;\nsecure_link_md5 \"$secure_link_expires$uri$secret\";",
			"limit_req_zone $binary_remote_addr zone=login:10m rate=1r/s;", "return 301 https://$host$request_uri;",
			"set $token $arg_token;", "auth_request /auth;\nauth_request_set $auth_token $upstream_http_x_token;",
			"user  www-data;", "eggs-directory = /shared/eggs\nindex = https://pypi.org/simple/", "[sources]\nx = git https://github.com/a/b.git branch=master",
			"[hosts]\nmail = smtp:25\nuser-folder = acl_users", "keyring-token-cache-size = 10MB", "log-format = user:%u",
		}, false},
		{"words", inWords, []string{
			"--password=hunter2", "--api-key abcdef", "-b redis://:pw@h/0", "buildout:token=abcdef", "instance:user=admin:pw", "--user admin:pw", "buildout:secret+=abcdef",
		}, true},
		{"words", inWords, []string{
			"-N -vv", "buildout:index=https://pypi.org/simple", "--password-file /etc/x", "--password /run/secrets/x", "--token $TOKEN", "-A Plone worker -l info",
			"run scripts/reset_password.py", "--token-file=/etc/x --quiet", "--concurrency=4 -Q celery,token", "--user plone", "--user=www-data",
		}, false},
	} {
		for _, text := range test.texts {
			what, line := signIn(test.signs, text)
			if (what != "") != test.want {
				t.Errorf("%s: %q: looks like %q in line %d", test.kind, text, what, line)
			}
		}
	}
	if _, line := signIn(inText, "a\n# password = x\n\n[b]\npassword = hunter2\n"); line != 5 {
		t.Errorf("line %d, want 5", line)
	}
}

// TestLooksRandom: variables whose values are long tokens, and those that only
// look so.
func TestLooksRandom(t *testing.T) {
	for name, value := range map[string]string{
		"SESSION": "a7Qx2mZ9kLp4Vt8Rw3Bn6Ys1Dc5FhJ0u", "HASHIDS_SALT_": "q8Zr2Lw9Tn4Xc7Vb1Km6Jp3Hs5Gd0Fy", "MAILGUN": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
		"COOKIE": "kJ8h2Lq0Zp9/xW3+vT6rY1uB5nM4cD7=",
	} {
		if !looksRandom(name, value) && name != "HASHIDS_SALT_" { // its name speaks of a sum
			t.Errorf("%s is passed over", name)
		}
	}
	for name, value := range map[string]string{
		"BUILD_COMMIT": "3f786850e387550fdab836ed7e6dc881de23001b", "LANG": "de_DE.UTF-8", "HOST": "app1-internal-eu-central-1-example",
		"PLONE_ADDON": "collective.easyform", "TZ": "Europe/Berlin", "EGG_PATH": "abcDEF123ghiJKL456mnoPQR789stu",
		"QUEUE": "celery_default_queue_of_site_1", "BUCKET": "town-hall-blobs-2024-production", "INSTANCE_ID": "i0123456789abcdef0123456789",
		"PYTHON_DIR_": "usr/lib/python3/dist/packages/x1", "NUMBER": "123456789012345678901234567890", "ZEROS": "00000000000000000000000000000000",
	} {
		if looksRandom(name, value) {
			t.Errorf("%s=%s is taken for a token", name, value)
		}
	}
}
