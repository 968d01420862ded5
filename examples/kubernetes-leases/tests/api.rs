//! The simulated API server against the sentences of the Kubernetes documentation that clients rely on. Each test cites its
//! sentence: "conventions" is the page "API Conventions" of kubernetes/community, "apply" the page "Server-Side Apply" of the
//! Kubernetes reference, "concepts" its page "Kubernetes API Concepts", and RFC 7386 is what a JSON merge patch is.

use std::sync::Arc;

use fencepost::testing::manual_environment::HandEnvironment;
use fencepost_sim::lease::{LeasePlace, LeaseStore};
use kubernetes_leases::api::{ApiRequest, LeaseApi, Verb};
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

fn server() -> LeaseApi {
    LeaseApi::open(LeasePlace::new(Arc::new(HandEnvironment::at_epoch_ms(1_700_000_000_000)), || 0))
}

fn ask(server: &LeaseApi, verb: Verb, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
    let request = ApiRequest {
        verb,
        path: format!("{LEASES}{path}"),
        content_type: content_type.to_owned(),
        body: body.to_string().into_bytes(),
    };
    let answer = server.answer(&request);
    (answer.status, serde_json::from_slice(&answer.body).expect("the server answers in JSON"))
}

fn create(server: &LeaseApi, spec: Value) -> (u16, Value) {
    let body = json!({"metadata": {"name": "a"}, "spec": spec});
    ask(server, Verb::Post, "?fieldManager=creator", "application/json", &body)
}

fn get(server: &LeaseApi) -> Value {
    ask(server, Verb::Get, "/a", "", &Value::Null).1
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().expect("every object has a version").to_owned()
}

fn merge(server: &LeaseApi, patch: Value) -> (u16, Value) {
    ask(server, Verb::Patch, "/a?fieldManager=merger", MERGE, &patch)
}

fn apply(server: &LeaseApi, manager: &str, is_forced: bool, body: Value) -> (u16, Value) {
    let force = if is_forced { "&force=true" } else { "" };
    ask(server, Verb::Patch, &format!("/a?fieldManager={manager}{force}"), APPLY, &body)
}

fn managers_of(object: &Value, field: &str) -> Vec<String> {
    let managers = object["metadata"]["managedFields"].as_array().expect("managers are listed");
    let mut found: Vec<String> = managers
        .iter()
        .filter(|entry| entry["fieldsV1"]["f:spec"].get(format!("f:{field}")).is_some())
        .map(|entry| {
            format!("{} by {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Conventions: "respond with an HTTP status code 409 when a request is made to POST an object that has the same name as an
/// existing object in the system".
#[test]
fn a_second_create_of_the_same_name_is_refused() {
    let server = server();
    assert_eq!(create(&server, json!({"holderIdentity": "one"})).0, 201);
    let (code, status) = create(&server, json!({"holderIdentity": "two"}));
    assert_eq!((code, status["reason"].as_str()), (409, Some("AlreadyExists")));
    assert_eq!(get(&server)["spec"]["holderIdentity"], "one");
}

/// Conventions: "The resourceVersion is changed by the server every time an object is modified."
#[test]
fn every_change_changes_the_version_and_nothing_else_does() {
    let server = server();
    let first = create(&server, json!({"holderIdentity": "one"})).1;
    assert_eq!(version(&get(&server)), version(&first));
    let second = merge(&server, json!({"spec": {"holderIdentity": "two"}})).1;
    assert_ne!(version(&second), version(&first));
    let again = merge(&server, json!({"spec": {"holderIdentity": "two"}})).1;
    assert_eq!(version(&again), version(&second));
}

/// Conventions: "If resourceVersion is included with the PUT operation the system will verify that there have not been other
/// successful mutations to the resource during a read/modify/write cycle, by verifying that the current value of resourceVersion
/// matches the specified value." "... if it doesn't match, the update fails with a StatusConflict (HTTP status code 409)."
#[test]
fn a_replace_of_an_older_version_is_a_conflict() {
    let server = server();
    let mut read = create(&server, json!({"holderIdentity": "one"})).1;
    merge(&server, json!({"spec": {"holderIdentity": "two"}}));
    read["spec"]["holderIdentity"] = json!("three");
    let (code, status) = ask(&server, Verb::Put, "/a", "application/json", &read);
    assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
    let mut read = get(&server);
    assert_eq!(read["spec"]["holderIdentity"], "two");
    read["spec"]["holderIdentity"] = json!("three");
    assert_eq!(ask(&server, Verb::Put, "/a", "application/json", &read).0, 200);
    assert_eq!(get(&server)["spec"]["holderIdentity"], "three");
}

/// The strategy of Leases in kubernetes/kubernetes: a PUT may create one (`AllowCreateOnUpdate`), and replaces none without
/// saying which version it replaces (`AllowUnconditionalUpdate` is false).
#[test]
fn a_replace_creates_what_is_missing_and_must_name_what_it_replaces() {
    let server = server();
    let body = json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "one"}});
    assert_eq!(ask(&server, Verb::Put, "/a", "application/json", &body).0, 201);
    let (code, status) = ask(&server, Verb::Put, "/a", "application/json", &body);
    assert_eq!((code, status["reason"].as_str()), (422, Some("Invalid")));
}

/// RFC 7386: what the patch names replaces, null removes, and what it does not name stays.
#[test]
fn a_merge_patch_changes_what_it_names() {
    let server = server();
    create(&server, json!({"holderIdentity": "one", "leaseTransitions": 3, "leaseDurationSeconds": 5}));
    let patched = merge(&server, json!({"spec": {"holderIdentity": "two", "leaseTransitions": null}})).1;
    assert_eq!(patched["spec"], json!({"holderIdentity": "two", "leaseDurationSeconds": 5}));
}

/// The sentence on PUT holds for a patch that names a version, too. A patch that names none is made on whatever is stored, and so
/// takes a lease from whoever has taken it meanwhile.
#[test]
fn a_merge_patch_is_conditional_only_if_it_names_a_version() {
    let server = server();
    let read = create(&server, json!({"holderIdentity": "one"})).1;
    assert_eq!(merge(&server, json!({"spec": {"holderIdentity": "two"}})).0, 200);
    let named = json!({"metadata": {"resourceVersion": version(&read)}, "spec": {"holderIdentity": "three"}});
    let (code, status) = merge(&server, named);
    assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
    assert_eq!(merge(&server, json!({"spec": {"holderIdentity": "three"}})).0, 200);
    assert_eq!(get(&server)["spec"]["holderIdentity"], "three");
}

/// Apply: "if you make a change using update that would affect a managed field, a conflict never provokes failure of the
/// operation", and "Whenever a field's value does change, ownership moves from its current manager to the manager making the
/// change."
#[test]
fn an_update_takes_ownership_without_a_conflict() {
    let server = server();
    apply(&server, "applier", false, json!({"spec": {"holderIdentity": "one", "leaseTransitions": 1}}));
    let patched = merge(&server, json!({"spec": {"holderIdentity": "two"}})).1;
    assert_eq!(managers_of(&patched, "holderIdentity"), ["merger by Update"]);
    assert_eq!(managers_of(&patched, "leaseTransitions"), ["applier by Apply"]);
}

/// Apply: "When you Apply to a resource, the fieldManager parameter is required", and "you cannot define managedFields in the body
/// of the request that you submit".
#[test]
fn an_apply_names_its_manager_and_no_managed_fields() {
    let server = server();
    let body = json!({"spec": {"holderIdentity": "one"}});
    assert_eq!(ask(&server, Verb::Patch, "/a", APPLY, &body).0, 422);
    let body = json!({"metadata": {"managedFields": []}, "spec": {"holderIdentity": "one"}});
    assert_eq!(apply(&server, "applier", false, body).0, 400);
}

/// Apply: "That intent either creates a new object (using default values for unspecified fields), or is combined, by the API
/// server, with the existing object", "favoring the value from the request body if it is specified in both places".
#[test]
fn an_apply_creates_or_combines() {
    let server = server();
    assert_eq!(apply(&server, "applier", false, json!({"spec": {"holderIdentity": "one"}})).0, 201);
    merge(&server, json!({"spec": {"leaseTransitions": 4}}));
    let applied = apply(&server, "applier", false, json!({"spec": {"holderIdentity": "two"}})).1;
    assert_eq!(applied["spec"], json!({"holderIdentity": "two", "leaseTransitions": 4}));
}

/// Apply: "fields that have a different value and are owned by another manager will result in a conflict".
#[test]
fn an_apply_to_anothers_field_is_a_conflict() {
    let server = server();
    apply(&server, "first", false, json!({"spec": {"holderIdentity": "one"}}));
    let (code, status) = apply(&server, "second", false, json!({"spec": {"holderIdentity": "two"}}));
    assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
    assert_eq!(status["details"]["causes"][0]["field"], ".spec.holderIdentity");
    assert_eq!(get(&server)["spec"]["holderIdentity"], "one");
}

/// Apply: "This forces the operation to succeed, changes the value of the field, and removes the field from all other managers'
/// entries in managedFields."
#[test]
fn a_forced_apply_takes_the_field() {
    let server = server();
    apply(&server, "first", false, json!({"spec": {"holderIdentity": "one"}}));
    let (code, applied) = apply(&server, "second", true, json!({"spec": {"holderIdentity": "two"}}));
    assert_eq!((code, applied["spec"]["holderIdentity"].as_str()), (200, Some("two")));
    assert_eq!(managers_of(&applied, "holderIdentity"), ["second by Apply"]);
}

/// Apply: "When two or more appliers set a field to the same value, they share ownership of that field. Any subsequent attempt to
/// change the value of the shared field, by any of the appliers, results in a conflict."
#[test]
fn a_field_of_the_same_value_is_shared() {
    let server = server();
    apply(&server, "first", false, json!({"spec": {"holderIdentity": "one"}}));
    let shared = apply(&server, "second", false, json!({"spec": {"holderIdentity": "one"}})).1;
    assert_eq!(managers_of(&shared, "holderIdentity"), ["first by Apply", "second by Apply"]);
    assert_eq!(apply(&server, "first", false, json!({"spec": {"holderIdentity": "two"}})).0, 409);
}

/// Apply: "each missing item not managed by any other appliers is removed", and "Shared field owners may give up ownership of a
/// field by making a Server-Side Apply patch request that doesn't include that field."
#[test]
fn what_is_left_out_is_removed_unless_others_manage_it() {
    let server = server();
    let both = json!({"spec": {"holderIdentity": "one", "leaseTransitions": 1}});
    apply(&server, "first", false, both);
    apply(&server, "second", false, json!({"spec": {"leaseTransitions": 1}}));
    let applied = apply(&server, "first", false, json!({"spec": {}})).1;
    assert_eq!(applied["spec"], json!({"leaseTransitions": 1}));
    assert_eq!(managers_of(&applied, "leaseTransitions"), ["second by Apply"]);
}

/// Apply: "the object doesn't have to be read beforehand; resourceVersion doesn't have to be specified"; where it is, it must match,
/// and force does not help: it is about fields.
#[test]
fn a_forced_apply_of_an_older_version_is_still_a_conflict() {
    let server = server();
    let read = create(&server, json!({"holderIdentity": "one"})).1;
    merge(&server, json!({"spec": {"holderIdentity": "two"}}));
    let body = json!({"metadata": {"resourceVersion": version(&read)}, "spec": {"holderIdentity": "three"}});
    let (code, status) = apply(&server, "second", true, body);
    assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
    assert_eq!(get(&server)["spec"]["holderIdentity"], "two");
}

/// Validation of a Lease in kubernetes/kubernetes: leaseDurationSeconds "must be greater than 0", leaseTransitions "must be greater
/// than or equal to 0".
#[test]
fn a_lease_lasts_longer_than_nothing() {
    let server = server();
    assert_eq!(create(&server, json!({"leaseDurationSeconds": 0})).0, 422);
    assert_eq!(create(&server, json!({"leaseTransitions": -1})).0, 422);
    assert_eq!(create(&server, json!({"leaseDurationSeconds": 1, "leaseTransitions": 0})).0, 201);
}

/// The events of one look of a watch, each with its type and the holder that it shows.
fn watch(server: &LeaseApi, since: &str) -> Vec<(String, String)> {
    let path = format!("{LEASES}?&watch=true&fieldSelector=metadata.name%3Da&resourceVersion={since}");
    let request = ApiRequest { verb: Verb::Get, path, content_type: String::new(), body: Vec::new() };
    let answer = server.answer(&request);
    assert_eq!(answer.status, 200);
    let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let event = |line| serde_json::from_slice::<Value>(line).expect("each line is an event");
    let told = |event: Value| {
        let holder = event["object"]["spec"]["holderIdentity"].as_str().unwrap_or_default();
        (event["type"].as_str().expect("it has a type").to_owned(), holder.to_owned())
    };
    lines.map(event).map(told).collect()
}

/// Concepts: "When retrieving a collection of resources (either namespace or cluster scoped), the response from the API server
/// contains a resourceVersion value. The client can use that resourceVersion to initiate a watch against the API server."
#[test]
fn a_list_says_where_a_watch_begins() {
    let server = server();
    create(&server, json!({"holderIdentity": "one"}));
    let (code, list) =
        ask(&server, Verb::Get, "?fieldSelector=metadata.name%3Da&limit=500", "", &Value::Null);
    assert_eq!((code, list["items"][0]["spec"]["holderIdentity"].as_str()), (200, Some("one")));
    assert_eq!(watch(&server, &version(&list)), []);
    merge(&server, json!({"spec": {"holderIdentity": "two"}}));
    assert_eq!(watch(&server, &version(&list)), [("MODIFIED".to_owned(), "two".to_owned())]);
    let others = ask(&server, Verb::Get, "?fieldSelector=metadata.name%3Db", "", &Value::Null).1;
    assert_eq!(others["items"], json!([]));
}

/// Concepts: "When you send a watch request, the API server responds with a stream of changes. These changes itemize the outcome of
/// operations (such as create, delete, and update) that occurred after the resourceVersion you specified as a parameter to
/// the watch request."
#[test]
fn a_watch_shows_every_change_since_in_their_order() {
    let server = server();
    assert_eq!(watch(&server, "0"), []);
    create(&server, json!({"holderIdentity": "one"}));
    merge(&server, json!({"spec": {"holderIdentity": "two"}}));
    // It changes nothing, so there is nothing to show.
    merge(&server, json!({"spec": {"holderIdentity": "two"}}));
    apply(&server, "third", true, json!({"spec": {"holderIdentity": "three"}}));
    let other = json!({"metadata": {"name": "b"}, "spec": {"holderIdentity": "four"}});
    ask(&server, Verb::Post, "", "application/json", &other);
    let told = |kind: &str, holder: &str| (kind.to_owned(), holder.to_owned());
    assert_eq!(watch(&server, "1"), [told("MODIFIED", "two"), told("MODIFIED", "three")]);
    assert_eq!(watch(&server, "3"), []);
    assert_eq!(watch(&server, "0"), [told("ADDED", "three")], "without a version: all that there is now");
}

/// Apply: "If the request that last changed that field was a Server-Side Apply patch then the value of operation is Apply; otherwise,
/// it is Update." So a candidate who renews by another kind of patch than it took the lease with owns each field by the kind that
/// changed it last, and an apply of another candidate meets both.
#[test]
fn a_renewed_lease_is_still_owned_against_applies() {
    let server = server();
    create(&server, json!({}));
    let taken = json!({"spec": {"holderIdentity": "one", "renewTime": "1"}});
    assert_eq!(apply(&server, "one", false, taken).0, 200);
    let renewed = json!({"spec": {"renewTime": "2"}});
    ask(&server, Verb::Patch, "/a?fieldManager=one", STRATEGIC, &renewed);
    let stored = get(&server);
    assert_eq!(managers_of(&stored, "holderIdentity"), ["one by Apply"]);
    assert_eq!(managers_of(&stored, "renewTime"), ["one by Update"]);
    let (code, status) =
        apply(&server, "two", false, json!({"spec": {"holderIdentity": "two", "renewTime": "3"}}));
    assert_eq!((code, status["details"]["causes"].as_array().map(Vec::len)), (409, Some(2)));
}

/// Apply: "A conflict is a special status error that occurs when an Apply operation tries to change a field that another manager also
/// claims to manage." Nobody manages a field that is not there: a lease that was emptied can be applied to by anybody.
#[test]
fn an_emptied_lease_is_nobodys() {
    let server = server();
    create(&server, json!({}));
    apply(&server, "one", false, json!({"spec": {"holderIdentity": "one", "renewTime": "1"}}));
    let emptied = json!({"spec": {"holderIdentity": null, "renewTime": null}});
    let emptied = ask(&server, Verb::Patch, "/a?fieldManager=two", STRATEGIC, &emptied).1;
    assert_eq!(emptied["spec"], json!({}));
    assert!(managers_of(&emptied, "holderIdentity").is_empty());
    assert_eq!(apply(&server, "three", false, json!({"spec": {"holderIdentity": "three"}})).0, 200);
}

#[test]
fn what_the_server_does_not_know_it_refuses() {
    let server = server();
    assert_eq!(ask(&server, Verb::Get, "/b", "", &Value::Null).0, 404);
    assert_eq!(ask(&server, Verb::Put, "", "", &Value::Null).0, 405);
    assert_eq!(ask(&server, Verb::Get, "?fieldSelector=spec.holderIdentity%3Da", "", &Value::Null).0, 400);
    create(&server, json!({}));
    assert_eq!(ask(&server, Verb::Patch, "/a", "application/json-patch+json", &json!({})).0, 415);
}
