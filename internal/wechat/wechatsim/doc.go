// Package wechatsim is a stand-in for WeChat's server interface: it speaks
// the same HTTP paths, JSON bodies and error numbers, so that the SDK and
// internal/wechat run against it unchanged. Tests mount it in an
// httptest.Server; the demo mode starts it on a loopback listener.
//
// It is not for networks: anyone who reaches it can log in as anyone.
//
// Codes need no registration:
//
//   - demo-<name>-<nonce> logs in the person <name>, once; each nonce is a
//     new code of the same person;
//   - phone-<11 digits>-<nonce> gives that phone number, once.
//
// Text that contains MarkerRisky or MarkerReview, and image URLs that contain
// "risky" or "review", get that advice; everything else passes.
package wechatsim
