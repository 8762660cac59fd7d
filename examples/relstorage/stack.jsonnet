// The same stack as stack.json, with what repeats said once.
local addresses = { lb1: '10.0.0.11', app1: '10.0.1.11', app2: '10.0.1.12' };
local host(name, layers) = { layers: layers, address: addresses[name], cpus: 2 };
local secret(source) = { '$secret': source };

{
  plonec: { plone_version: '6.2' },
  opsworks: { stack: { name: 'Example on PostgreSQL' } },
  instances: {
    lb1: host('lb1', ['lb']),
    app1: host('app1', ['plone_instances']),
    app2: host('app2', ['plone_instances', 'packing']),
  },
  layers: { packing: { roles: ['pack'] } },
  plone_instances: {
    app_name: 'site',
    per_cpu: 1,
    shared_blobs: false,
    enable_relstorage: true,
    relstorage: {
      db: {
        type: 'postgresql',
        host: '10.0.2.11',
        name: 'plone',
        user: 'zodb',
        password: secret('env:PLONE_DB_PASSWORD'),
      },
      pack_days: 7,
    },
  },
  haproxy: { stats_password: secret('env:HAPROXY_STATS_PASSWORD'), stats_allow: ['10.0.0.0/8'] },
  nginx_plone: { zmi: ['10.0.0.0/8'] },
  deploy: {
    site: {
      domains: ['www.example.com'],
      scm: { repository: 'https://git.example.com/buildout.git', revision: 'main' },
      environment: {
        LANG: 'C.UTF-8',
        MAIL_TOKEN: secret('file:secrets/mail-token'),
      },
    },
  },
}
