package service

// Blobs exports them to other hosts.
var Blobs = add(Service{
	Name: "blobs", Title: "blobs", Role: "blobs", Use: Files, ByHand: "exports of blobs",
	Shows: func(h Host) []Process {
		if h.Stack.PloneInstances.GlusterBlobs || h.Stack.PloneZeoserver.GlusterBlobs {
			return []Process{{"GlusterFS export", h.Stack.PloneBlobs.GlusterExportDir}}
		}
		return []Process{{"NFS export", h.Stack.PloneBlobs.NFSExportDir}}
	},
})
