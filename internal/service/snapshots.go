package service

// Snapshots of EBS volumes.
var Snapshots = add(Service{Name: "snapshots", Title: "EBS snapshots", Role: "snapshots", ByHand: "EBS snapshots"})
