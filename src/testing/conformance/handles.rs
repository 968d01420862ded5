//! Handles, transfers and the end of a session.

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::handle::SessionScope;
use crate::model::process::RecoveryDisposition::Rerunnable;

fn home() -> SessionScope {
    SessionScope::session("home")
}

fn away() -> SessionScope {
    SessionScope::frame("away", "f1")
}

async fn grant(t: &Bench, scope: &SessionScope, id: &str) {
    t.registry.grant_handle(scope, id, handle("view")).await.expect("granted");
}

async fn listed(t: &Bench, scope: &SessionScope) -> Vec<String> {
    let entries = t.registry.list_handle_grants(scope).await.expect("listed");
    entries.into_iter().map(|(grant, _)| grant.process_id).collect()
}

pub async fn granting_a_handle_again_replaces_its_descriptor(t: Bench) {
    t.register("p").await;
    let granted = t.registry.grant_handle(&home(), "p", handle("view")).await.expect("granted");
    assert_eq!((granted.session_id.as_str(), granted.process_id.as_str()), ("home", "p"));
    t.registry.grant_handle(&home(), "p", handle("steer")).await.expect("replaced");
    let entries = t.registry.list_handle_grants(&home()).await.expect("listed");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].0.descriptor, handle("steer"));
    assert_eq!(entries[0].1, t.read("p").await);
}

pub async fn a_handle_may_be_granted_on_an_ended_process(t: Bench) {
    t.ended("p").await;
    grant(&t, &home(), "p").await;
    assert_eq!(t.registry.has_handle_grant(&home(), "p").await, Ok(true));
}

pub async fn a_handle_needs_a_known_process(t: Bench) {
    refused!(t.registry.grant_handle(&home(), "nobody", handle("view")).await, E::UnknownProcess { .. });
    refused!(t.registry.handle_grants_for_process("nobody").await, E::UnknownProcess { .. });
    assert_eq!(t.registry.has_handle_grant(&home(), "nobody").await, Ok(false));
    refused!(t.registry.grant_handle(&home(), "nobody", handle(" ")).await, E::InvalidArgument { .. });
}

pub async fn revoking_a_missing_handle_is_fine(t: Bench) {
    t.register("p").await;
    grant(&t, &home(), "p").await;
    t.registry.revoke_handle(&away(), "p").await.expect("missing is fine");
    t.registry.revoke_handle(&home(), "nobody").await.expect("unknown is fine");
    assert_eq!(listed(&t, &home()).await, ["p"]);
    t.registry.revoke_handle(&home(), "p").await.expect("revoked");
    t.registry.revoke_handle(&home(), "p").await.expect("again is fine");
    assert_eq!(t.registry.has_handle_grant(&home(), "p").await, Ok(false));
}

pub async fn handles_are_listed_by_exact_scope_in_process_order(t: Bench) {
    for id in ["b", "a", "Z", "é"] {
        t.register(id).await;
        grant(&t, &home(), id).await;
    }
    grant(&t, &SessionScope::frame("home", "f1"), "a").await;
    assert_eq!(listed(&t, &home()).await, ["Z", "a", "b", "é"]);
    assert_eq!(listed(&t, &SessionScope::frame("home", "f1")).await, ["a"]);
    assert_eq!(listed(&t, &SessionScope::frame("home", "f2")).await, Vec::<String>::new());
}

pub async fn live_handles_leave_out_ended_processes(t: Bench) {
    t.ended("done").await;
    t.register("open").await;
    grant(&t, &home(), "done").await;
    grant(&t, &home(), "open").await;
    let live = t.registry.list_live_handle_grants(&home()).await.expect("listed");
    assert_eq!(live.iter().map(|(grant, _)| grant.process_id.as_str()).collect::<Vec<_>>(), ["open"]);
    assert_eq!(listed(&t, &home()).await, ["done", "open"]);
}

pub async fn the_handles_of_a_process_are_listed_by_session_then_scope(t: Bench) {
    t.register("p").await;
    for scope in [SessionScope::frame("b", "f2"), SessionScope::session("a"), SessionScope::frame("b", "f1")]
    {
        t.registry
            .grant_handle(&scope, "p", handle(&format!("h-{}", scope.agent_frame_id)))
            .await
            .expect("granted");
    }
    let grants = t.registry.handle_grants_for_process("p").await.expect("listed");
    let kinds: Vec<_> =
        grants.iter().map(|grant| (grant.session_id.as_str(), grant.descriptor.kind.as_str())).collect();
    assert_eq!(kinds, [("a", "h-"), ("b", "h-f1"), ("b", "h-f2")]);
}

pub async fn scopes_that_join_alike_are_still_different(t: Bench) {
    t.register("p").await;
    let alike = [
        SessionScope::frame("a", "b/c"),
        SessionScope::frame("a/b", "c"),
        SessionScope::session("a/b/c"),
        SessionScope::session("1:a/b/c"),
    ];
    for (index, scope) in alike.iter().enumerate() {
        assert_eq!(t.registry.has_handle_grant(scope, "p").await, Ok(false), "{scope:?}");
        grant(&t, scope, "p").await;
        assert!(alike[..index].iter().all(|earlier| earlier.id() != scope.id()));
    }
    assert_eq!(t.registry.handle_grants_for_process("p").await.expect("listed").len(), alike.len());
}

pub async fn a_scope_nobody_knows_lists_nothing(t: Bench) {
    assert_eq!(t.registry.list_handle_grants(&away()).await, Ok(vec![]));
    assert_eq!(t.registry.list_live_handle_grants(&away()).await, Ok(vec![]));
}

pub async fn a_transfer_moves_and_overwrites(t: Bench) {
    for id in ["p", "q"] {
        t.register(id).await;
        t.registry.grant_handle(&home(), id, handle("from")).await.expect("granted");
    }
    t.registry.grant_handle(&away(), "q", handle("to")).await.expect("granted");
    t.registry.transfer_handle_grants(&home(), &away(), &["q".into(), "p".into()]).await.expect("moved");
    assert_eq!(listed(&t, &home()).await, Vec::<String>::new());
    let entries = t.registry.list_handle_grants(&away()).await.expect("listed");
    assert_eq!(entries.len(), 2);
    assert!(
        entries.iter().all(|(grant, _)| grant.descriptor == handle("from") && grant.session_id == "away")
    );
}

pub async fn a_transfer_is_all_or_nothing(t: Bench) {
    for id in ["a", "b", "c"] {
        t.register(id).await;
    }
    grant(&t, &home(), "a").await;
    grant(&t, &home(), "c").await;
    let ids = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    refused!(t.registry.transfer_handle_grants(&home(), &away(), &ids).await, E::HandleMissing { .. });
    let ids = ["a".to_owned(), "nobody".to_owned()];
    refused!(t.registry.transfer_handle_grants(&home(), &away(), &ids).await, E::UnknownProcess { .. });
    assert_eq!(listed(&t, &home()).await, ["a", "c"]);
    assert_eq!(listed(&t, &away()).await, Vec::<String>::new());
    t.registry.transfer_handle_grants(&home(), &away(), &[]).await.expect("nothing moves nothing");
}

pub async fn repeated_ids_in_a_transfer_collapse(t: Bench) {
    t.register("p").await;
    grant(&t, &home(), "p").await;
    let twice = ["p".to_owned(), "p".to_owned()];
    t.registry.transfer_handle_grants(&home(), &away(), &twice).await.expect("moved once");
    assert_eq!(listed(&t, &away()).await, ["p"]);
}

pub async fn a_transfer_to_itself_is_checked_and_changes_nothing(t: Bench) {
    t.register("p").await;
    t.register("q").await;
    grant(&t, &home(), "p").await;
    t.registry.transfer_handle_grants(&home(), &home(), &["p".into()]).await.expect("a no-op");
    refused!(
        t.registry.transfer_handle_grants(&home(), &home(), &["q".into()]).await,
        E::HandleMissing { .. }
    );
    assert_eq!(listed(&t, &home()).await, ["p"]);
}

pub async fn deleting_a_session_revokes_every_frame_and_reports_who_is_left(t: Bench) {
    for id in ["orphan-2", "orphan-1", "kept"] {
        t.register(id).await;
        grant(&t, &home(), id).await;
    }
    t.ended("done").await;
    grant(&t, &home(), "done").await;
    grant(&t, &SessionScope::frame("home", "f1"), "orphan-1").await;
    grant(&t, &SessionScope::session("homestead"), "kept").await;
    let report = t.registry.delete_session_process_state("home").await.expect("deleted");
    assert_eq!(report.session_id, "home");
    assert_eq!(report.revoked_handle_count, 5);
    assert_eq!(report.orphaned_process_ids, ["orphan-1", "orphan-2"]);
    assert_eq!(report.preserved_process_ids, ["kept"]);
    assert_eq!(listed(&t, &home()).await, Vec::<String>::new());
    assert_eq!(listed(&t, &SessionScope::session("homestead")).await, ["kept"]);
    let nothing = t.registry.delete_session_process_state("home").await.expect("again is fine");
    assert_eq!((nothing.revoked_handle_count, nothing.deleted_wake_count), (0, 0));
}

pub async fn deleting_a_session_clears_the_wake_targets_that_point_at_it(t: Bench) {
    let mut framed = registration("framed", Rerunnable);
    framed.wake_target = Some(SessionScope::frame("home", "f9"));
    t.registry.register_process(framed).await.expect("stored");
    let mut elsewhere = registration("elsewhere", Rerunnable);
    elsewhere.wake_target = Some(away());
    t.registry.register_process(elsewhere).await.expect("stored");
    t.register("plain").await;
    t.ended("done").await;
    t.advance(4);
    let report = t.registry.delete_session_process_state("home").await.expect("deleted");
    assert_eq!(report.deleted_wake_count, 3);
    for id in ["framed", "plain", "done"] {
        let record = t.read(id).await;
        assert_eq!(record.registration.wake_target, None);
        assert_eq!(record.updated_at_ms, START_MS + 4);
    }
    let untouched = t.read("elsewhere").await;
    assert_eq!(
        (untouched.registration.wake_target.clone(), untouched.updated_at_ms),
        (Some(away()), START_MS)
    );
}

pub async fn deleting_a_session_cancels_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    grant(&t, &home(), "p").await;
    t.registry.delete_session_process_state("home").await.expect("deleted");
    assert_eq!(t.event_types("p").await, Vec::<String>::new());
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("its worker goes on");
}

pub async fn handles_do_not_move_the_record(t: Bench) {
    let before = t.register("p").await;
    t.advance(9);
    grant(&t, &home(), "p").await;
    t.registry.transfer_handle_grants(&home(), &away(), &["p".into()]).await.expect("moved");
    t.registry.revoke_handle(&away(), "p").await.expect("revoked");
    assert_eq!(t.read("p").await, before);
}
