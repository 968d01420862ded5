//! The simulated table against the sentences of DynamoDB's documentation that dlock relies on. Each test cites its sentence:
//! "put", "update" and "delete" are the pages of the API Reference on that operation, "conditions" is the page on condition
//! expressions of the Developer Guide, "updates" its page on update expressions.

use std::sync::Arc;

use dlock_lease::table::{Table, TableRequest};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost_sim::lease::{LeasePlace, LeaseStore};
use serde_json::{Value, json};

fn table() -> Table {
    Table::open(LeasePlace::new(Arc::new(HandEnvironment::at_epoch_ms(1_700_000_000_000)), || 0))
}

fn ask(table: &Table, operation: &str, mut body: Value) -> (u16, Value) {
    body["TableName"] = json!("locks");
    let target = format!("DynamoDB_20120810.{operation}");
    let answer = table.answer(&TableRequest { target, body: body.to_string().into_bytes() });
    (answer.status, serde_json::from_slice(&answer.body).expect("the table answers in JSON"))
}

fn put(table: &Table, lease: &str, condition: Option<&str>) -> (u16, Value) {
    let item = json!({"lock_name": {"S": "a"}, "lease": {"S": lease}, "token": {"N": "0"}});
    let mut body = json!({"Item": item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
    if let Some(condition) = condition {
        body["ConditionExpression"] = json!(condition);
    }
    ask(table, "PutItem", body)
}

/// As dlock takes over from a dead holder.
fn take_over(table: &Table, known: &str, lease: &str) -> (u16, Value) {
    let body = json!({
        "Key": {"lock_name": {"S": "a"}},
        "ConditionExpression": "#lease = :prev_lease",
        "UpdateExpression": "SET #lease = :new_lease, #token = #token + :one",
        "ExpressionAttributeNames": {"#lease": "lease", "#token": "token"},
        "ExpressionAttributeValues": {":prev_lease": {"S": known}, ":new_lease": {"S": lease}, ":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    });
    ask(table, "UpdateItem", body)
}

fn delete(table: &Table, known: Option<&str>) -> (u16, Value) {
    let mut body = json!({"Key": {"lock_name": {"S": "a"}}, "ReturnValues": "ALL_OLD"});
    if let Some(known) = known {
        body["ConditionExpression"] = json!("lease = :lease");
        body["ExpressionAttributeValues"] = json!({":lease": {"S": known}});
    }
    ask(table, "DeleteItem", body)
}

/// The lease that is stored, taken out of the way.
fn stored(table: &Table) -> Option<String> {
    let lease = delete(table, None).1["Attributes"]["lease"]["S"].as_str()?.to_owned();
    put(table, &lease, None);
    Some(lease)
}

fn is_refused_by_condition((status, body): &(u16, Value)) -> bool {
    let kind = body["__type"].as_str().unwrap_or_default();
    *status == 400 && kind.ends_with("#ConditionalCheckFailedException")
}

/// Put: "To prevent a new item from replacing an existing item, use a conditional expression that contains the
/// attribute_not_exists function with the name of the attribute being used as the partition key for the table. Since every record
/// must contain that attribute, the attribute_not_exists function will only succeed if no matching item exists."
#[test]
fn a_put_that_asks_for_no_item_replaces_none() {
    let table = table();
    let condition = Some("attribute_not_exists(lock_name)");
    assert_eq!(put(&table, "one", condition).0, 200);
    assert!(is_refused_by_condition(&put(&table, "two", condition)));
    assert_eq!(stored(&table).as_deref(), Some("one"));
    delete(&table, None);
    assert_eq!(put(&table, "two", condition).0, 200);
}

/// Put: "If an item that has the same primary key as the new item already exists in the specified table, the new item completely
/// replaces the existing item."
#[test]
fn a_put_without_a_condition_replaces() {
    let table = table();
    put(&table, "one", None);
    assert_eq!(put(&table, "two", None).0, 200);
    assert_eq!(stored(&table).as_deref(), Some("two"));
}

/// Conditions: "If the condition expression evaluates to true, the operation succeeds; otherwise, the operation fails."
#[test]
fn an_update_happens_only_if_its_condition_holds() {
    let table = table();
    put(&table, "one", None);
    assert!(is_refused_by_condition(&take_over(&table, "zero", "two")));
    assert_eq!(stored(&table).as_deref(), Some("one"));
    assert_eq!(take_over(&table, "one", "two").0, 200);
    assert_eq!(stored(&table).as_deref(), Some("two"));
}

/// Put, on ReturnValuesOnConditionCheckFailure: "An optional parameter that returns the item attributes for a PutItem operation
/// that failed a condition check."
#[test]
fn a_put_that_failed_shows_what_stands_in_its_way() {
    let table = table();
    put(&table, "one", None);
    let (_, body) = put(&table, "two", Some("attribute_not_exists(lock_name)"));
    assert_eq!(body["Item"]["lease"]["S"], "one");
}

/// Update, on UpdateExpression: "You can also use SET to add or subtract from an attribute that is of type Number." Update, on
/// ReturnValues: "ALL_NEW - Returns all of the attributes of the item, as they appear after the UpdateItem operation."
#[test]
fn an_update_adds_and_shows_what_it_made() {
    let table = table();
    put(&table, "one", None);
    assert_eq!(take_over(&table, "one", "two").1["Attributes"]["token"]["N"], "1");
    let made = take_over(&table, "two", "three").1;
    let item = json!({"lock_name": {"S": "a"}, "lease": {"S": "three"}, "token": {"N": "2"}});
    assert_eq!(made["Attributes"], item);
}

/// Updates: "DynamoDB evaluates every action against the item's attribute values as they were before the update."
#[test]
fn each_part_of_an_update_reads_the_item_as_it_was() {
    let table = table();
    put(&table, "one", None);
    let body = json!({
        "Key": {"lock_name": {"S": "a"}}, "UpdateExpression": "SET token = token + :one, seen = token",
        "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "ALL_NEW",
    });
    let made = ask(&table, "UpdateItem", body).1;
    assert_eq!(
        (&made["Attributes"]["token"]["N"], &made["Attributes"]["seen"]["N"]),
        (&json!("1"), &json!("0"))
    );
}

/// Update: "Edits an existing item's attributes, or adds a new item to the table if it does not already exist." A condition on an
/// attribute keeps it from adding one: an item that is not there has no attributes.
#[test]
fn an_update_adds_an_item_unless_its_condition_needs_one() {
    let table = table();
    assert!(is_refused_by_condition(&take_over(&table, "one", "two")));
    let body = json!({
        "Key": {"lock_name": {"S": "a"}}, "UpdateExpression": "SET lease = :lease",
        "ExpressionAttributeValues": {":lease": {"S": "one"}},
    });
    assert_eq!(ask(&table, "UpdateItem", body).0, 200);
    assert_eq!(stored(&table).as_deref(), Some("one"));
}

/// Delete: "You can perform a conditional delete operation that deletes the item if it exists, or if it has an expected attribute
/// value."
#[test]
fn a_delete_of_anothers_lease_deletes_nothing() {
    let table = table();
    put(&table, "one", None);
    assert!(is_refused_by_condition(&delete(&table, Some("zero"))));
    assert_eq!(stored(&table).as_deref(), Some("one"));
    assert_eq!(delete(&table, Some("one")).0, 200);
    assert_eq!(stored(&table), None);
}

/// Delete: "Unless you specify conditions, the DeleteItem is an idempotent operation; running it multiple times on the same item or
/// attribute does not result in an error response."
#[test]
fn a_delete_can_be_repeated_unless_it_has_a_condition() {
    let table = table();
    assert_eq!(delete(&table, None).0, 200);
    assert!(is_refused_by_condition(&delete(&table, Some("one"))));
}

#[test]
fn what_the_table_does_not_know_it_refuses() {
    let table = table();
    for body in [
        json!({"Item": {"lock_name": {"S": "a"}}, "ConditionExpression": "size(lease) > :length"}),
        json!({"Item": {"lock_name": {"S": "a"}}, "ConditionExpression": "#lease = :lease"}),
        json!({"Item": {"lease": {"S": "one"}}}),
    ] {
        let (status, body) = ask(&table, "PutItem", body);
        let kind = body["__type"].as_str().unwrap_or_default();
        assert_eq!((status, kind.ends_with("#ValidationException")), (400, true), "{body}");
    }
    assert_eq!(ask(&table, "GetItem", json!({"Key": {"lock_name": {"S": "a"}}})).0, 400);
    // A token that is not there cannot be raised.
    put(&table, "one", None);
    ask(&table, "PutItem", json!({"Item": {"lock_name": {"S": "a"}, "lease": {"S": "one"}}}));
    assert!(!is_refused_by_condition(&take_over(&table, "one", "two")));
    assert_eq!(take_over(&table, "one", "two").0, 400);
}
