// Package archtest holds the tests that keep the layers of the program apart;
// docs/architecture.md explains the layers. It has no code of its own.
package archtest
