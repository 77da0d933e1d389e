//! Connections (Relay cursor connections specification), with `nodes` beside `edges`.

use std::borrow::Cow;

use async_graphql::{Object, ObjectType, OutputType, SimpleObject, TypeName};
use common::{Cursor, PageArgs};

use super::InOrder;

/// What is said about a page.
#[derive(Debug, Clone, Default, SimpleObject)]
#[graphql(shareable)]
pub struct PageInfo {
    /// Whether nodes follow the last one of this page.
    pub has_next_page: bool,
    /// Whether this page began after a cursor.
    pub has_previous_page: bool,
    /// The cursor of the first node.
    pub start_cursor: Option<String>,
    /// The cursor of the last node: send it as `after` for the next page.
    pub end_cursor: Option<String>,
}

/// A page of a list of `T`.
#[derive(Debug, Clone)]
pub struct Connection<T> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
}

/// A node with its cursor.
#[derive(Debug, Clone)]
pub struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T> Connection<T> {
    /// A page of `rows`, of which one too many may have been read (see [`PageArgs::limit`]).
    pub fn new<R>(
        page: &PageArgs,
        mut rows: Vec<R>,
        cursor: impl Fn(&R) -> Cursor,
        node: impl Fn(R) -> T,
    ) -> Self {
        let has_next_page = page.cut(&mut rows);
        let edges: Vec<Edge<T>> =
            rows.into_iter().map(|row| Edge { cursor: cursor(&row).encode(), node: node(row) }).collect();
        let page_info = PageInfo {
            has_next_page,
            has_previous_page: page.after.is_some(),
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Self { edges, page_info }
    }

    /// The nodes of the page.
    pub fn into_nodes(self) -> Vec<T> {
        self.edges.into_iter().map(|edge| edge.node).collect()
    }

    /// The nodes of the page, and what is said about it: for lists whose connection has fields of its own.
    pub fn into_parts(self) -> (Vec<T>, PageInfo) {
        (self.edges.into_iter().map(|edge| edge.node).collect(), self.page_info)
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: ObjectType> Connection<T> {
    /// The nodes of this page, in order.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// The nodes of this page, in order, each with its cursor.
    async fn edges(&self) -> Vec<InOrder<&Edge<T>>> {
        self.edges.iter().map(InOrder).collect()
    }

    /// What comes before and after this page.
    async fn page_info(&self) -> InOrder<&PageInfo> {
        InOrder(&self.page_info)
    }
}

/// A node of a list with its place in it.
#[Object(name_type)]
impl<T: ObjectType> Edge<T> {
    /// The node's place in the list: send it as `after` for what follows it.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The node.
    async fn node(&self) -> &T {
        &self.node
    }
}
